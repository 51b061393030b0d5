"""Models by name: what --model takes, and what a config file says of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retroweave.models.named import named, open_endpoint, read_table
from retroweave.models.openai import OpenAI
from retroweave.models.scripted import Scripted
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import ModelSpec, Price

QWEN = "openai:qwen3@http://127.0.0.1:8000/v1"


class TestTable:
    def test_an_entry_says_where_at_what_price_and_under_which_terms(self) -> None:
        table = read_table(
            {
                "writer": {
                    "use": QWEN,
                    "form": "base",
                    "price": {"prompt": 0.1, "completion": 0.4},
                    "key": "MY_KEY",
                    "in_flight": 8,
                    "timeout": 30,
                    "terms": "Apache-2.0",
                    "options": {"provider": "x"},
                },
                "judge": "embedded:smollm2",
            }
        )
        assert table == {
            "writer": ModelSpec(QWEN, "base", Price(0.1, 0.4), "MY_KEY", 8, 30.0, "Apache-2.0", {"provider": "x"}),
            "judge": ModelSpec("embedded:smollm2"),
        }

    @pytest.mark.parametrize(
        ("table", "said"),
        [
            (None, "`models:` in a config file holds `name:` entries, each with its `use:`, not None"),
            (["a"], "holds `name:` entries"),
            ({"writer": 5}, "The model 'writer' in the config file is 5; it has lines such as `use: openai:...`"),
            ({"writer": {"use": QWEN, "prize": 1}}, "The model 'writer' has no setting 'prize'. Did you mean 'price'?"),
            ({"writer": {"use": QWEN, "in_flight": 0}}, "The model 'writer': in_flight is 0: .*greater than or equal"),
            ({"writer": {"use": QWEN, "form": "base-model"}}, "'writer': form is 'base-model': .*'chat' or 'base'"),
            (
                {"writer": {"use": QWEN, "price": {"prompt": -1, "completion": 0}}},
                r"'writer': price\.prompt is -1: .*greater",
            ),
            (
                {"writer": {"use": QWEN, "price": {"prompt": float("inf"), "completion": 0}}},
                r"price\.prompt is inf: .*finite",
            ),
            ({"writer": {"use": QWEN, "price": {"prompt": 1}}}, r"'writer': price\.completion is .*: Field required"),
            ({"writer": {"form": "chat"}}, "'writer': use is .*: Field required"),
            (
                {"writer": "smollm2"},
                "The model 'writer' uses 'smollm2', which is no model. A model goes by openai:NAME",
            ),
            ({"writer": {"use": "opnai:x"}}, "uses 'opnai:x', which is no model"),
            ({"writer": {"use": "openai:"}}, "uses 'openai:', which is no model"),
        ],
    )
    def test_what_is_wrong_is_told_by_entry_and_setting(self, table: Any, said: str) -> None:
        with pytest.raises(UserError, match=said):
            read_table(table)


class TestNamed:
    def test_a_name_of_the_config_file_goes_before_all_else(self) -> None:
        spec = ModelSpec(QWEN, price=Price(1, 2))
        assert named("writer", {"writer": spec}) is spec
        assert named("embedded:smollm2", {"embedded:smollm2": spec}) is spec

    def test_a_kind_with_a_name_is_a_model_as_it_stands(self) -> None:
        assert named(QWEN, {}) == ModelSpec(QWEN)

    @pytest.mark.parametrize(
        ("reference", "table", "said"),
        [
            ("writre", {"writer": ModelSpec(QWEN)}, "There is no model 'writre'. The config file names writer. Others"),
            ("gpt", {}, "There is no model 'gpt'. Others go by openai:NAME@URL, such as"),
            ("ollama:llama3", {}, "--model is 'ollama:llama3', which is no model"),
            ("embedded:", {}, "--model is 'embedded:', which is no model"),
        ],
    )
    def test_what_names_no_model_is_refused(self, reference: str, table: dict[str, ModelSpec], said: str) -> None:
        with pytest.raises(UserError, match=said):
            named(reference, table)


class TestSpec:
    @pytest.mark.parametrize(
        ("use", "kind", "name"),
        [
            (QWEN, "openai", "qwen3"),
            ("openai:gpt-5", "openai", "gpt-5"),
            ("openai:org/model:free@https://router.example/v1", "openai", "org/model:free"),
            ("openai:model@4bit@http://127.0.0.1:1", "openai", "model@4bit"),
            ("embedded:/models/a@b.gguf", "embedded", "/models/a@b.gguf"),
            ("scripted:answers.yaml", "scripted", "answers.yaml"),
        ],
    )
    def test_it_knows_its_kind_and_its_own_name(self, use: str, kind: str, name: str) -> None:
        assert (ModelSpec(use).kind, ModelSpec(use).name) == (kind, name)

    def test_what_answers_depend_on_is_not_how_fast_or_at_what_price(self) -> None:
        spec = ModelSpec(QWEN, "base", options={"a": 1})
        other = ModelSpec(QWEN, "base", Price(1, 1), "KEY", 5, 3.0, "terms", {"a": 1})
        assert spec.identity() == other.identity()
        assert spec.identity() != ModelSpec(QWEN, "chat", options={"a": 1}).identity()


class TestOpening:
    def test_each_kind_opens_its_own_endpoint_and_asks_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "answers.yaml").write_text("- {when: a, answer: b}")
        assert isinstance(open_endpoint(ModelSpec(QWEN)), OpenAI)
        assert isinstance(open_endpoint(ModelSpec(f"scripted:{tmp_path / 'answers.yaml'}")), Scripted)
