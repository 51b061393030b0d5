"""The documentation is true: its blocks run, its output is what is printed now, and its links lead somewhere.

`docs/generate.py` runs a page and gives it back as it should be; here it is held against the page as it is.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    path = Path(__file__).resolve().parent.parent / "docs" / "generate.py"
    spec = importlib.util.spec_from_file_location("docs_generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = _load()
PAGES: list[Path] = generate.pages()


def _id(page: Path) -> str:
    return page.relative_to(generate.ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_a_page_shows_what_the_code_does_now(page: Path) -> None:
    """Where this fails because the code has changed for the better, run: python docs/generate.py"""
    assert generate.rendered(page).splitlines() == page.read_text("utf-8").splitlines()


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_the_links_of_a_page_lead_to_a_page_and_a_heading_that_are_there(page: Path) -> None:
    lost = [link for link in _links(page.read_text("utf-8")) if not _resolves(link, page)]
    assert lost == []


def test_the_index_leads_to_every_page() -> None:
    docs = generate.ROOT / "docs"
    linked = {(docs / link).resolve() for link in _links((docs / "index.md").read_text("utf-8"))}
    assert {page for page in docs.rglob("*.md") if page.name != "index.md"} <= linked


_LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)


def _links(text: str) -> list[str]:
    return [found["target"] for found in _LINK.finditer(_without_blocks(text))]


def _resolves(link: str, page: Path) -> bool:
    if link.startswith("https://"):
        return True
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """The names that a viewer gives to the headings of a page."""
    titles = (found["title"].lower() for found in _HEADING.finditer(_without_blocks(page.read_text("utf-8"))))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def _without_blocks(text: str) -> str:
    lines = text.splitlines()
    for block in reversed(list(generate.blocks(lines))):
        del lines[block.start : block.end]
    return "\n".join(lines)


# That these tests can fail


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.md"


def _rendered(page: Path, text: str) -> str:
    page.write_text(text, "utf-8")
    rendered: str = generate.rendered(page)
    return rendered


def test_output_that_is_no_longer_true_is_written_anew(page: Path) -> None:
    stale = "```console\n$ retroweave odds --generator 0.5\nprecision  99 %\n```\n"
    assert "\nprecision  50.00% of the accepted rows are right\n" in _rendered(page, stale)


def test_dots_stand_for_any_lines_and_for_nothing_else(page: Path) -> None:
    elided = "```console\n$ retroweave odds --generator 0.5\nprecision  {} of the accepted rows are right\n...\n```\n"
    true, false = elided.format("50.00%"), elided.format("51.00%")
    assert _rendered(page, true) == true
    assert _rendered(page, false) != false


def test_a_command_that_fails_in_silence_is_an_error(page: Path) -> None:
    with pytest.raises(generate.PageError, match="ended with 2:\nError: There is no recipe 'prose-repare'"):
        _rendered(page, "```console\n$ retroweave check prose-repare\n```\n")


def test_a_python_block_that_does_not_run_is_an_error_that_says_where(page: Path) -> None:
    with pytest.raises(generate.PageError, match=r"page\.md, the block in line 3: NameError: name 'b' is not defined"):
        _rendered(page, "A block:\n\n```python\na = b\n```\n")


def test_a_file_is_written_added_to_and_changed_before_it_is_run(page: Path) -> None:
    text = """
```python
# add.py
def total(numbers):
    return sum(numbers)
```

```python
# add.py, continued
print(total([1, 2]))
```

<!-- file: add.py -->
```diff
 def total(numbers):
-    return sum(numbers)
+    return sum(numbers) * 10
```

```console
$ python add.py
{}
```
"""
    assert _rendered(page, text.format("30")) == text.format("30")
    assert _rendered(page, text.format("3")) == text.format("30")


def test_a_change_that_does_not_fit_its_file_is_an_error(page: Path) -> None:
    text = "```python\n# a.py\na = 1\n```\n\n<!-- file: a.py -->\n```diff\n-b = 1\n+b = 2\n```\n"
    with pytest.raises(generate.PageError, match=r"a\.py holds 0 times what the change wants to find"):
        _rendered(page, text)


def test_what_a_page_takes_from_the_code_is_filled_in_anew(page: Path) -> None:
    stale = "<!-- generated: operations -->\nnone\n<!-- /generated -->\n"
    assert "| `homophone` |" in _rendered(page, stale)


@pytest.mark.parametrize("link", ["nowhere.md", "#no-heading", "page.md#no-heading"])
def test_a_link_that_leads_nowhere_is_found(page: Path, link: str) -> None:
    page.write_text("# Heading\n\n```text\n# No heading\n```\n", "utf-8")
    assert _resolves("#heading", page)
    assert not _resolves(link, page)
