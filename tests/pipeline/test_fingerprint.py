"""A fingerprint tells whatever an outcome depends on, names what changed, and hangs on nothing else."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from tests.conftest import Project

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.fingerprint import differences, fingerprint
from retroweave.pipeline.pipeline import Pipeline, family
from retroweave.pipeline.recipe import find_recipe
from retroweave.pipeline.step import compute

PRINTED = """
import importlib, pkgutil, sys
if "everything" in sys.argv:
    import retroweave
    for module in pkgutil.walk_packages(retroweave.__path__, "retroweave."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import orjson
from retroweave.pipeline.fingerprint import fingerprint
from retroweave.pipeline.recipe import find_recipe
recipe = find_recipe(sys.argv[1])
pipeline = recipe.pipeline(recipe.example)
print(orjson.dumps(fingerprint(recipe, recipe.example, pipeline, 0, "1")).decode())
"""


def elsewhere(recipe: str, *arguments: str) -> dict[str, Any]:
    """The fingerprint as another process finds it."""
    command = [sys.executable, "-c", PRINTED, recipe, *arguments]
    found: dict[str, Any] = orjson.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def of(recipe: str, seed: int = 0, **values: Any) -> dict[str, Any]:
    """The fingerprint in this process, the recipe's file read anew."""
    find_recipe.cache_clear()
    found = find_recipe(recipe)
    config = found.configure(values)
    made: dict[str, Any] = orjson.loads(orjson.dumps(fingerprint(found, config, found.pipeline(config), seed, "1")))
    return made


def with_pipeline(pipeline: Pipeline) -> dict[str, Any]:
    found = find_recipe("prose-repair")
    return fingerprint(found, found.example, pipeline, 0, "1")


def resources(**values: Any) -> dict[str, str]:
    source = find_recipe("prose-repair").pipeline(find_recipe("prose-repair").example).source
    found: dict[str, str] = with_pipeline(Pipeline(source, resources=values))["resources"]
    return found


@pytest.mark.parametrize("recipe", ["prose-repair", "counting"])
def test_it_is_the_same_in_every_process_whatever_else_was_imported(project: Project, recipe: str) -> None:
    reference = project.counting() if recipe == "counting" else recipe
    alone = elsewhere(reference)
    assert elsewhere(reference, "everything") == alone
    assert differences(alone, of(reference)) == []


def test_it_counts_constants_words_and_what_is_imported_inside_functions() -> None:
    code = of("prose-repair")["code"]
    assert "retroweave.corruptions.lexicon" in code  # imported for its constants alone
    assert "retroweave.corruptions" in code  # its words lie in the package's folder
    assert {"retroweave.cli", "retroweave.making", "retroweave.export.card"}.isdisjoint(code)
    assert not [name for name in code if name.partition(".")[0] != "retroweave"]


def test_it_counts_the_versions_of_the_packages_that_are_imported() -> None:
    versions = of("prose-repair")["versions"]
    assert {"retroweave", "Python", "pygit2", "fast-diff-match-patch", "orjson"} <= versions.keys()
    assert "click" not in versions


def test_the_same_again_is_no_difference(project: Project) -> None:
    recipe = project.counting()
    assert differences(of(recipe), of(recipe)) == []


def test_a_recipe_file_that_was_moved_is_the_same_recipe(project: Project) -> None:
    assert differences(of(project.counting()), of(project.counting(name="elsewhere/counting.py"))) == []


Change = Callable[[Project], dict[str, Any]]
CHANGES: dict[str, tuple[Change, list[str]]] = {
    "seed": (lambda project: {"seed": 7}, ["seed: 0 to 7"]),
    "a config key": (lambda project: {"again": False}, ["config.again: True to False"]),
    "the recipe": (
        lambda project: {"recipe": project.counting("def ask(number: str) -> str:\n    return '?' + number")},
        ["the code of counting.py"],
    ),
    "words beside it": (
        lambda project: {"note": project.write("counting/words.txt", "other")},
        ["the code of counting.py"],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_named(project: Project, what: str) -> None:
    recipe = project.counting()
    project.write("counting/words.txt", "some")
    before = of(recipe)
    change, named = CHANGES[what]
    values = change(project)
    values.pop("note", None)
    assert differences(before, of(values.pop("recipe", recipe), **values)) == named


@pytest.mark.parametrize("name", [".DS_Store", "__pycache__/words.cpython-311.pyc", "ask.evidence.json"])
def test_what_the_system_leaves_beside_a_recipe_is_no_change(project: Project, name: str) -> None:
    recipe = project.counting()
    project.write("counting/words.txt", "some")
    before = of(recipe)
    project.write(f"counting/{name}", "left there")
    assert differences(before, of(recipe)) == []


def test_a_run_in_a_folder_of_the_recipes_name_goes_on(project: Project) -> None:
    recipe = project.counting()
    project.make(recipe, 5, out="counting")
    assert project.make(recipe, 8, out="counting")["counts"]["replayed_rows"] == 5


def test_a_module_that_a_recipe_imports_counts_wherever_the_import_stands(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(project.folder)
    project.write("helping/__init__.py", "")
    project.write("helping/verbs.py", "VERB = 'Write'")
    project.write("helping/words/verbs.txt", "Write")
    project.write("other_help.py", "")
    body = "def ask(number: str) -> str:\n    from helping.verbs import VERB\n    return VERB + number"
    recipe = project.counting(body)
    before = of(recipe)
    assert {"helping", "helping.verbs"} <= before["code"].keys()
    assert "other_help" not in before["code"]
    project.write("helping/verbs.py", "VERB = 'Say'")
    assert differences(before, of(recipe)) == ["the code of helping.verbs"]
    project.write("helping/words/verbs.txt", "Say")
    assert differences(before, of(recipe)) == ["the code of helping", "the code of helping.verbs"]


def test_the_module_of_a_step_counts_where_the_recipe_does_not_import_it() -> None:
    source = find_recipe("prose-repair").pipeline(find_recipe("prose-repair").example).source
    plain = with_pipeline(Pipeline(source))
    assert __name__ not in plain["code"]
    for step in (
        compute(said, writes="said"),
        compute(functools.partial(said, to="you"), writes="said", name="said"),
        family(pick=chosen),
    ):
        assert __name__ in with_pipeline(Pipeline(source, step))["code"]


def said(passage: str, to: str = "all") -> str:
    return passage + to


def chosen(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return members[:1]


def test_a_changed_text_of_the_source_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("One word and another. " * 20)
    values: dict[str, Any] = {"texts": text, "license": "CC0-1.0", "shortest": 100}
    before = of("prose-repair", **values)
    text.write_text("One word and one more. " * 20)
    assert differences(before, of("prose-repair", **values)) == ["the source's text", "the resources of pool"]


def test_a_resource_is_told_by_its_value_or_by_what_it_says_of_itself() -> None:
    assert resources(words=["a", "b"]) == resources(words=["a", "b"])
    assert resources(words=["a", "b"]) != resources(words=["b", "a"])
    assert resources(pool=SimpleNamespace(fingerprint=lambda: "mine")) == {"pool": "mine"}


def test_a_set_among_the_resources_is_the_same_in_every_process(project: Project) -> None:
    """The order of a set of strings differs from process to process."""
    reference = project.write(
        "counting.py",
        Path(project.counting()).read_text().replace("keep=[", "resources={'stop': {'x': ({*'abcdefgh'},)}}, keep=["),
    )
    assert elsewhere(reference)["resources"] == elsewhere(reference)["resources"] == of(reference)["resources"]


@pytest.mark.parametrize("value", [object(), [object()], said])
def test_a_resource_that_no_two_processes_write_alike_is_refused(value: Any) -> None:
    with pytest.raises(UserError, match=r"The resource 'thing' cannot be told.*Give its class a method `fingerprint`"):
        resources(thing=value)


def test_a_part_that_an_older_version_did_not_have_is_named() -> None:
    assert differences({"seed": 1}, {"seed": 1, "versions": {"a": "1"}}) == ["versions.a: None to '1'"]


def test_another_config_is_named_once_though_the_pipeline_follows_from_it() -> None:
    old = {"config": {"most": 3}, "pipeline": "a"}
    assert differences(old, {"config": {"most": 9}, "pipeline": "b"}) == ["config.most: 3 to 9"]
    assert differences(old, {"config": {"most": 3}, "pipeline": "b"}) == ["the pipeline's steps or words"]


def test_of_another_recipe_nothing_else_is_compared(project: Project) -> None:
    before = of(project.counting())
    assert differences(before, of("prose-repair")) == ["the recipe, 'counting' to 'prose-repair'"]
