"""The dataset card: `README.md` of a run directory, as the Hugging Face Hub reads it.

It is here because a set that cannot say what it is, how it was made and why it may be trusted is not worth
publishing. Names, texts and reasons come from sources and models: each goes through a filter that lets it neither
leave its fence, its table cell nor the YAML, nor become markup. It uploads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from retroweave.export import facts, remaking, templates
from retroweave.export.dataset import SPLITS, read_run
from retroweave.export.excerpt import shorten, visible
from retroweave.export.labelled import Labelled, read_labelled
from retroweave.export.survey import Survey, survey
from retroweave.text.tool_calls import spoken

__all__ = ["write_card"]

_EXAMPLES = 3
_LONGEST_TURN = 6_000
_LINES = 30
_REASONS = 12

_HUB_LICENSES = frozenset(
    """
    afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda
    cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0
    cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0 epl-2.0 etalab-2.0
    eupl-1.1 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1
    osl-3.0 pddl postgresql unlicense wtfpl zlib
    """.split()  # noqa: SIM905 - as a list it would be a page
)
"""The Hub's own identifiers (https://huggingface.co/docs/hub/repositories-licenses) that stand for one licence."""

_SNIPPET_LAST = """\
from datasets import load_dataset
from trl import SFTTrainer

data = load_dataset("path/to/this/dataset", split="train")
data = data.map(lambda row: {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]},
                remove_columns=data.column_names)
SFTTrainer(model="Qwen/Qwen3-0.6B", train_dataset=data).train()"""

_SNIPPET_ANY = """\
from datasets import load_dataset
from trl import SFTTrainer

def trained_turns(rows):
    ends = [(turns, i) for turns in rows["messages"] for i, turn in enumerate(turns) if turn["train"]]
    return {"prompt": [turns[:i] for turns, i in ends], "completion": [turns[i : i + 1] for turns, i in ends]}

data = load_dataset("path/to/this/dataset", split="train")
data = data.map(trained_turns, batched=True, remove_columns=data.column_names)
SFTTrainer(model="Qwen/Qwen3-0.6B", train_dataset=data).train()"""

_SNIPPET_TOOLS = """\
from datasets import load_dataset  # 4.7 or newer
from trl import SFTTrainer

def trained_turns(rows):
    ends = [(turns, tools, i) for turns, tools in zip(rows["messages"], rows["tools"])
            for i, turn in enumerate(turns) if turn["train"]]
    return {"prompt": [turns[:i] for turns, tools, i in ends],
            "completion": [turns[i : i + 1] for turns, tools, i in ends],
            "tools": [tools for turns, tools, i in ends]}

data = load_dataset("path/to/this/dataset", split="train")
data = data.map(trained_turns, batched=True, remove_columns=data.column_names, on_mixed_types="use_json")
SFTTrainer(model="Qwen/Qwen3-0.6B", train_dataset=data).train()"""


def write_card(run_dir: Path, found: Survey | None = None) -> Path:
    """Write `README.md` of a finished run and give back its path; `found` spares a pass over the samples."""
    run = read_run(run_dir)
    return templates.write_whole(run_dir / "README.md", _render(run, found or survey(run_dir), *read_labelled(run_dir)))


def _render(run: Mapping[str, Any], found: Survey, labelled: Labelled | None, labels_fit: bool) -> str:
    markdown = templates.markdown()
    markdown.filters |= {
        "prose": _prose,
        "docstring": _docstring,
        "sentence": lambda text: text if text.endswith((".", "?", "!")) else f"{text}.",
        "code": _code,
        "codes": lambda names: ", ".join(map(_code, names)),
        "cell": lambda text: re.sub(r"(?<!\\)\|", r"\|", text),
        "fence": _fence,
        "rate": lambda rate: "not declared" if rate is None else f"{rate:.0%}",
        "capital": lambda text: text[:1].upper() + text[1:],
    }
    moves = {step["move"] for step in run["steps"]}
    return markdown.get_template("card.md.j2").render(
        run=run,
        survey=found,
        front_matter=_front_matter(run, found),
        title=facts.title(run),
        cautions=facts.cautions(run, found),
        paragraphs=facts.paragraphs(run),
        sandbox=facts.sandbox(run),
        notices=facts.notices(run),
        models=facts.models(run),
        spent=facts.spent(run),
        labelled=facts.labelled(labelled, labels_fit),
        money=facts.money,
        measured=facts.measured(run, found),
        moves=[(move, meaning) for move, meaning in facts.MOVES.items() if move in moves],
        evidence=facts.evidence(run),
        rests_on=facts.rests_on(run),
        worths=facts.WORTHS,
        splits=[(split, run["splits"][split]) for split in SPLITS if run["splits"].get(split)],
        losses=facts.losses(run),
        reasons=facts.reasons(run, _REASONS),
        more_reasons=len(run["reasons"]) > _REASONS,
        layouts=found.layouts.bars(_LINES),
        lengths=[
            ("Prompt (not trained)", found.prompt),
            ("Answer (trained)", found.answer),
            ("Whole conversation", found.whole),
        ],
        snippet=_snippet(found),
        examples=[_example(sample) for sample in found.choose(_EXAMPLES)],
        license_file=_license(run["license"]).get("license_link") == "LICENSE",
        licenses=found.licenses.bars(_LINES),
        origins=found.origins.bars(_LINES),
        command=remaking.command(run),
        model_table=remaking.model_table(run),
        config_file=remaking.CONFIG_FILE,
        config=_yaml(run["config"]) if run["config"] else "",
    )


def _front_matter(run: Mapping[str, Any], found: Survey) -> str:
    files = [{"split": split, "path": f"data/{split}-*"} for split in SPLITS if run["splits"].get(split)]
    tags = ["synthetic", "retroweave", re.sub(r"[^a-z0-9]+", "-", run["recipe"].lower()).strip("-")]
    language = run.get("language")
    return _yaml(
        {
            "pretty_name": visible(facts.title(run)),
            **({"language": [language] if isinstance(language, str) else language} if language else {}),
            **_license(run["license"]),
            "task_categories": ["text-generation"],
            "size_categories": [_size_category(found.samples)],
            "tags": [tag for tag in tags if tag],
            "configs": [{"config_name": "default", "data_files": files}],
        }
    )


def _license(expression: str) -> dict[str, Any]:
    """The Hub's fields for an SPDX expression: an id, a list of ids, or `other` with a name and a link."""
    known = [_hub_license(name) for name in expression.split(" AND ")]
    if None not in known:
        return {"license": known[0] if len(known) == 1 else known}
    listed = re.fullmatch(r"(?!LicenseRef-)[A-Za-z0-9.+-]+", expression)
    return {
        "license": "other",
        "license_name": re.sub(r"[^a-z0-9.]+", "-", expression.lower()).strip("-"),
        "license_link": f"https://spdx.org/licenses/{expression}.html" if listed else "LICENSE",
    }


def _hub_license(name: str) -> str | None:
    lowered = name.strip("() ").lower()
    for spelling in (lowered, re.sub(r"-(only|or-later)$", "", lowered), re.sub(r"-1\.0$", "", lowered)):
        if spelling in _HUB_LICENSES:
            return spelling
    return None


def _size_category(rows: int) -> str:
    bounds = [(10**3, "1K"), (10**4, "10K"), (10**5, "100K"), (10**6, "1M"), (10**7, "10M"), (10**8, "100M")]
    below = ""
    for bound, name in bounds:
        if rows < bound:
            return f"{below}<n<{name}" if below else f"n<{name}"
        below = name
    return "100M<n<1B"


def _snippet(found: Survey) -> str:
    if found.calls_tools:
        return _SNIPPET_TOOLS
    return _SNIPPET_LAST if found.trained_last_only else _SNIPPET_ANY


def _example(sample: Mapping[str, Any]) -> dict[str, Any]:
    turns = []
    for turn in sample["messages"]:
        head, left_out, tail = shorten(spoken(turn), _LONGEST_TURN)
        gap = f"\n[… {left_out:,} characters left out …]\n" if left_out else ""
        turns.append(
            {
                "role": turn["role"],
                "train": turn["train"],
                "shortened": bool(left_out),
                "text": f"{head}{gap}{tail}",
            }
        )
    place = sample["provenance"]["source"]["place"]
    return {"layout": sample["layout"], "id": sample["id"], "place": place, "turns": turns}


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=float("inf")))


def _one_line(text: str, limit: int | None) -> str:
    line = visible(" ".join(text.split()))
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def _prose(text: str, limit: int | None = None) -> str:
    """One line of text that is no markup: each character that Markdown could act on is escaped."""
    line = re.sub(r"([\\`*\[\]<>|~$#&!]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", _one_line(text, limit))
    line = re.sub(r"^([-+=])", r"\\\1", line)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", line)


def _docstring(text: str) -> str:
    """As `_prose`, but what stands in backquotes is code: the author's own text."""
    return "".join(_code(run) if is_code else _spaced(run) for is_code, run in facts.code_runs(text))


def _spaced(run: str) -> str:
    return f"{' ' * run.startswith(' ')}{_prose(run)}{' ' * run.endswith(' ')}"


def _code(text: str) -> str:
    """A code span whose backquotes are more than any in the text."""
    line = _one_line(text, 200)
    ticks = "`" * (_longest_run_of_backquotes(line) + 1)
    if not line or line[0] == "`" or line[-1] == "`":
        line = f" {line} "
    return f"{ticks}{line}{ticks}"


def _fence(text: str, language: str = "text") -> str:
    """A fenced block whose fence is longer than any run of backquotes in the text."""
    shown = visible(text).removesuffix("\n")
    ticks = "`" * max(3, _longest_run_of_backquotes(shown) + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"


def _longest_run_of_backquotes(text: str) -> int:
    runs: Iterable[str] = re.findall("`+", text)
    return max(map(len, runs), default=0)
