"""The card is what the Hub reads, and nothing that a sample says can break it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from huggingface_hub import DatasetCard, DatasetCardData
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.export.asked import asked_run, call, model, turned_away, verdict

from retroweave.export.card import _code, _docstring, _fence, _prose, write_card
from retroweave.export.dataset import read_run, read_samples

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]

HOSTILE = (
    "<script>alert(1)</script> --> ]]> {{ run }} {% raw %}\n---\nlicense: mit\n---\n# heading\n```\n````sh\n~~~\n"
    "| a | b |\n|---|---|\n\x00\x1b[31m\u202e\r\n<img src=x onerror=alert(1)> [x](javascript:alert(1)) ``a`` \\"
)


def _tokens(markdown: str) -> list[Any]:
    parsed = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
    return [part for token in parsed for part in (token, *(token.children or []))]


def _written(directory: Path) -> DatasetCard:
    write_card(directory)
    card: DatasetCard = DatasetCard.load(directory / "README.md")
    assert isinstance(card.data, DatasetCardData)
    return card


def _data(card: DatasetCard) -> dict[str, Any]:
    return dict(yaml.safe_load(str(card.data)))


def test_the_hub_reads_its_own_fields(make_run: MakeRun) -> None:
    assert _data(_written(make_run())) == {
        "pretty_name": "Repair damaged prose by diagnosing it and writing a patch",
        "license": "cc0-1.0",
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "tags": ["synthetic", "retroweave", "prose-repair"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train-*"},
                    {"split": "validation", "path": "data/validation-*"},
                ],
            }
        ],
    }


def test_a_split_without_a_row_is_not_named(make_run: MakeRun, make_sample: MakeSample) -> None:
    data = _data(_written(make_run([make_sample(1)])))
    assert [files["split"] for files in data["configs"][0]["data_files"]] == ["train"]


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("CC-BY-SA-4.0", {"license": "cc-by-sa-4.0"}),
        ("ODC-By-1.0", {"license": "odc-by"}),
        ("GPL-3.0-or-later", {"license": "gpl-3.0"}),
        ("CC-BY-4.0 AND MIT", {"license": ["cc-by-4.0", "mit"]}),
        (
            "OGL-UK-3.0",
            {
                "license": "other",
                "license_name": "ogl-uk-3.0",
                "license_link": "https://spdx.org/licenses/OGL-UK-3.0.html",
            },
        ),
        (
            "LicenseRef-House AND MIT",
            {"license": "other", "license_name": "licenseref-house-and-mit", "license_link": "LICENSE"},
        ),
    ],
)
def test_a_licence_is_written_as_the_hub_names_it(make_run: MakeRun, expression: str, fields: dict[str, Any]) -> None:
    card = _written(make_run(license=expression))
    assert {name: value for name, value in _data(card).items() if name.startswith("license")} == fields
    assert ("file named `LICENSE`" in card.text) == (fields.get("license_link") == "LICENSE")


def test_the_counts_of_the_card_add_up(make_run: MakeRun) -> None:
    text = _written(make_run()).text
    rows = dict(re.findall(r"^\| ([−=a][^|]*?) \| ([\d,]+) \|$", text, re.MULTILINE))
    lost = sum(int(count) for name, count in rows.items() if name.startswith("−"))
    assert int(rows["all outcomes of 48 draws from the source"]) - lost == int(rows["= samples"]) == 40


def test_the_samples_differ_in_layout_and_are_the_same_each_time(make_run: MakeRun) -> None:
    directory = make_run()
    text = _written(directory).text
    assert re.findall(r"^### Layout `(\w+)`$", text, re.MULTILINE) == ["unified", "asked", "git"]
    assert _written(directory).text == text


def test_the_snippet_gives_a_trainer_each_trained_turn_and_no_other(
    make_run: MakeRun, make_sample: MakeSample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    two = make_sample(7)
    two["messages"] = [*two["messages"], *two["messages"]]
    for name, samples in {"last": list(map(make_sample, range(9))), "any": [make_sample(1), two]}.items():
        directory = make_run(samples, name=name)
        [snippet] = re.findall(r"```python\n(.*?)```", _written(directory).text, re.DOTALL)
        prepare = snippet.replace("from trl import SFTTrainer\n", "").replace("path/to/this/dataset", str(directory))
        prepare, _, train = prepare.partition("SFTTrainer(")
        assert train == 'model="Qwen/Qwen3-0.6B", train_dataset=data).train()\n'
        names: dict[str, Any] = {}
        exec(prepare, names)  # noqa: S102 - our own snippet, as a reader would run it
        rows = list(read_samples(directory, "train"))
        assert names["data"]["completion"] == [[turn] for one in rows for turn in one["messages"] if turn["train"]]
        assert names["data"].column_names == ["prompt", "completion"]


def test_hostile_text_neither_leaves_its_fence_nor_becomes_markup(make_run: MakeRun, make_sample: MakeSample) -> None:
    place = {"key": "k", "place": f"{HOSTILE}/x.txt", "draw": 0, "index": 0}
    sample = make_sample(1, layout="unified")
    sample["layout"] = HOSTILE
    sample["provenance"]["source"] = place
    sample["messages"] = [
        {"role": "user", "content": HOSTILE, "train": False},
        {"role": "assistant", "content": f"````````\n{HOSTILE}", "train": True},
    ]
    directory = make_run([sample])
    run = read_run(directory)
    step = run["steps"][0] | {"name": HOSTILE, "text": HOSTILE}
    run |= {"title": HOSTILE, "description": HOSTILE, "steps": [step], "config": {"x": HOSTILE}, "recipe": "a b; c"}
    run["reasons"] = [{"kind": "reject", "step": HOSTILE, "reason": HOSTILE, "count": 3}]
    run["findings"] = [{"lint": HOSTILE, "severity": "warning", "message": HOSTILE}]
    run["evidence"] = [{"layout": HOSTILE, "field": HOSTILE, "worth": "proved", "checks": [HOSTILE]}]
    run["judges"] = [{"step": HOSTILE, "accepts_right": 0.8, "accepts_wrong": None}]
    (directory / "run.json").write_bytes(orjson.dumps(run))

    card = _written(directory)
    assert _data(card)["license"] == "cc0-1.0"
    tokens = _tokens(card.text)
    assert not [token.content for token in tokens if token.type in ("html_block", "html_inline")]
    assert {token.attrGet("href") for token in tokens if token.type == "link_open"} == set()
    headings = [
        tokens[place + 1].content for place, token in enumerate(tokens) if token.tag == "h2" and token.nesting == 1
    ]
    assert headings == [
        "What a model learns from it",
        "How it was made",
        "Why each trained word is right",
        "Counts",
        "Lengths",
        "Train on it",
        "One sample",
        "Odds",
        "What the lints found",
        "Licence and sources",
        "Make it again",
    ]
    fences = [token.content for token in tokens if token.type == "fence"]
    shown = HOSTILE.replace("\x00", "␀").replace("\x1b", "␛").replace("\u202e", "\ufffd").replace("\r", "␍")
    assert fences[1:3] == [f"{shown}\n", f"````````\n{shown}\n"]
    assert fences[3].startswith("retroweave run 'a b; c' ")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", card.text)


@given(st.text() | st.text(st.sampled_from("_*`~0a .|\\<>[]()!&;#-+=\n")))
@example("__0__")
def test_any_text_is_one_run_of_text_in_prose(text: str) -> None:
    tokens = _tokens(f"| a | b |\n|---|---|\n| {_prose(text)} | end |\n")
    cells = [token.content for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert cells[3] == "end"
    assert {token.type for token in tokens[-12:]} <= {
        "inline", "text", "text_special", "td_open", "td_close", "tr_open", "tr_close", "tbody_open", "tbody_close",
        "table_close", "th_close", "thead_close", "th_open",
    }  # fmt: skip


@given(st.text(st.sampled_from("_*`~0a .|\\<>[]()!&;#-+=\n")))
def test_a_docstring_is_one_paragraph(text: str) -> None:
    kinds = {token.type for token in _tokens(f"before\n\n{_docstring(text)}\n\nafter")}
    assert kinds <= {"paragraph_open", "inline", "text", "text_special", "code_inline", "paragraph_close"}


@given(st.text(st.sampled_from("`a|\\ <\n")))
def test_any_text_is_one_code_span(text: str) -> None:
    kinds = [token.type for token in _tokens(f"x {_code(text)} y") if token.type not in ("inline",)]
    assert kinds == ["paragraph_open", "text", "code_inline", "text", "paragraph_close"]


@given(st.text(st.sampled_from("`~a \n>-")))
def test_any_text_is_one_fence(text: str) -> None:
    tokens = _tokens(f"before\n\n{_fence(text)}\n\nafter\n")
    [fence] = [token for token in tokens if token.type == "fence"]
    assert fence.content == text.removesuffix("\n") + "\n"


def test_only_a_very_long_turn_is_shortened_and_the_card_says_so(make_run: MakeRun, make_sample: MakeSample) -> None:
    long = [
        {"role": "user", "content": "start " + "middle " * 150_000 + "end", "train": False},
        {"role": "assistant", "content": "no", "train": True},
    ]
    text = _written(make_run([make_sample(1, messages=long)])).text
    assert "**user**, shortened in the middle:" in text
    assert re.search(r"\[… 1,044,\d{3} characters left out …\]", text)
    assert "middle end\n```" in text
    assert len(text) < 20_000
    assert "shortened" not in _written(make_run([make_sample(1)], name="short")).text


def test_without_a_judge_the_card_says_what_the_evidence_rests_on(make_run: MakeRun) -> None:
    text = _written(make_run()).text
    assert "No judged step stands in this set" in text
    assert "`diagnosis`, `patch` being proved." in text


def test_a_judges_rates_are_shown(make_run: MakeRun) -> None:
    judges = [{"step": "reads_well", "accepts_right": 0.8, "accepts_wrong": 0.2}]
    assert "| `reads_well` | 80% | 20% |" in _written(make_run(judges=judges)).text


def test_the_whole_config_and_the_command_that_sets_what_is_no_default_are_shown(make_run: MakeRun) -> None:
    directory = make_run(config_changed={"texts": "my texts", "operations": [1, 8]})
    text = _written(directory).text
    [config] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert yaml.safe_load(config) == read_run(directory)["config"]
    command = "retroweave run prose-repair --set 'texts=my texts' --set 'operations=[1, 8]'"
    assert command in re.sub(r" \\\n +", " ", text)


def test_a_config_at_its_defaults_is_not_set_again(make_run: MakeRun) -> None:
    assert "\nretroweave run prose-repair --rows 40 --seed 0" in _written(make_run(config_changed={})).text


def test_the_card_says_how_much_text_there_is(make_run: MakeRun, make_sample: MakeSample) -> None:
    assert "40 samples from 40 source rows, each drawn once." in _written(make_run()).text
    samples = [make_sample(number) for number in range(42)]
    for number, sample in enumerate(samples):
        sample["provenance"]["source"] |= {"key": f"k{number % 2}", "draw": number // 2}
    text = _written(make_run(samples, name="few")).text
    assert "42 samples from 2 source rows, each drawn up to 21 times." in text
    assert "> **Read this first.** There is little text in this set: 42 samples come from 2 source rows" in text


def test_a_long_place_of_hostile_text_stays_in_its_quote(make_run: MakeRun) -> None:
    reasons = [{"kind": "failure", "step": HOSTILE, "reason": HOSTILE, "count": 30}]
    counts = {"source_rows": 50, "leaves": 70, "samples": 40, "rejects": 0, "failures": 30, "duplicates": 0}
    counts |= {"over_cap": 0, "surplus_rows": 0}
    text = _written(make_run(reasons=reasons, counts=counts, splits={"train": 40})).text
    tokens = _tokens(text)
    [start] = [place for place, token in enumerate(tokens) if token.type == "blockquote_open"]
    [end] = [place for place, token in enumerate(tokens) if token.type == "blockquote_close"]
    kinds = {token.type for token in tokens[start:end]}
    assert kinds <= {
        "blockquote_open", "paragraph_open", "paragraph_close", "inline", "text", "text_special", "strong_open",
        "strong_close",
    }  # fmt: skip
    assert tokens[end + 1].type == "heading_open"


def _asked(make_asked: MakeSample, text: str = "Why?") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    samples = [make_asked(number, [call("ask", text, f"{text} {number}")]) for number in range(20)]
    judged = [verdict(0.25, False, method="sampled 8")]
    return samples, [turned_away(f"0/{number}/0", [call("ask", text, text)], judged) for number in range(5)]


def test_the_card_says_which_models_were_asked_what_they_took_and_what_they_lack(
    make_run: MakeRun, make_asked: MakeSample
) -> None:
    left = model(
        "writer", calls=1_200, tokens=45_600, cost=0.25, left_out=["top_k", "min_p"], abilities={"schema": False}
    )
    text = _written(make_run(*_asked(make_asked), **asked_run(models=[left]))).text
    use = "`openai:big@http://127.0.0.1:8000/v1`"
    assert f"| {use} | `writer` | in turns | 1,200 | 45,600 | $0.2500 |" in text
    assert "In all 1,200 calls and 45,600 tokens for $0.2500, $0.0125 for each sample." in text
    assert (
        f"- {use} is under **Apache-2.0**. Its output is free. Its endpoint offers no JSON schema. Its server does not "
        "know `top_k`, `min_p`, which were left out of requests.\n" in text
    )
    assert "`--format preference` in pairs" in text
    assert "The same recipe, config, seed, source and answers of the models give the same bytes" in text


def test_beside_the_declared_rates_stand_the_measured_ones(make_run: MakeRun, make_asked: MakeSample) -> None:
    text = _written(make_run(*_asked(make_asked), **asked_run())).text
    odds = text[text.index("## Odds") : text.index("## What the lints found")]
    assert "| `answerable` | 90% | 20% |" in odds
    assert "| `answerable` | 25 | 80.0% | 0.77 |" in odds
    assert "The scores of `answerable` are coarse in 5 verdicts: those were counted from 8 sampled answers" in odds


def test_a_run_that_asked_no_model_has_a_card_without_a_word_of_them(make_run: MakeRun) -> None:
    text = _written(make_run()).text
    assert not re.search("model.* asked|## Models|preference|verdict|\\$|\n\n\n\n", text)
    assert "The same recipe, config, seed and source give the same bytes in `data/`." in text
    assert _written(make_run(models=[], out_of_budget="", name="none")).text == text


def test_hostile_models_neither_leave_their_cell_nor_become_markup(make_run: MakeRun, make_asked: MakeSample) -> None:
    hostile = model(
        HOSTILE, use=f"embedded:{HOSTILE}", form=HOSTILE, left_out=[HOSTILE], calls=1,
        terms={"name": HOSTILE, "meaning": HOSTILE, "verdict": "conditions"}, abilities={"schema": False},
    )  # fmt: skip
    samples, rejects = _asked(make_asked, HOSTILE)
    rejects[0]["verdicts"] = [verdict(0.1, False, HOSTILE, method=HOSTILE)]
    text = _written(make_run(samples, rejects, **asked_run(models=[hostile], out_of_budget=HOSTILE))).text
    tokens = _tokens(text)
    assert not [token.content for token in tokens if token.type in ("html_block", "html_inline")]
    assert not [token for token in tokens if token.type in ("link_open", "image")]
    headings = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    plain = _written(make_run(*_asked(make_asked), name="plain", **asked_run())).text
    named = _tokens(plain)
    assert headings == [named[place + 1].content for place, token in enumerate(named) if token.type == "heading_open"]
    cells = [sum(token.type == "td_open" for token in one) for one in (tokens, named)]
    assert cells[0] == cells[1] - 6 + 4  # a model less, and a judge more
