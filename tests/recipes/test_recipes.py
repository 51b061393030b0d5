"""What every recipe that ships keeps to."""

from __future__ import annotations

from pathlib import Path

import pytest

from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.recipe import Recipe, find_recipe, installed_recipes
from retroweave.pipeline.rules import check

SHIPPED = sorted(name for name, entry in installed_recipes().items() if entry.value.startswith("retroweave."))


@pytest.fixture(params=SHIPPED)
def recipe(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.chdir(tmp_path)
    return find_recipe(request.param)


def test_it_is_valid_as_it_is_and_on_its_example(recipe: Recipe) -> None:
    assert check(recipe.pipeline(recipe.config_type())) == []
    assert check(recipe.pipeline(recipe.example)) == []


def test_it_says_what_is_taught_what_is_guaranteed_and_what_is_not(recipe: Recipe) -> None:
    assert "Guaranteed: " in recipe.doc
    assert "Not\nguaranteed: " in recipe.doc or "Not guaranteed: " in recipe.doc.replace("\n", " ")
    assert recipe.doc.replace("\n", " ").count("RetroInstruct") >= 1


def test_its_example_runs_offline_with_no_model_named(recipe: Recipe, tmp_path: Path) -> None:
    made = make(recipe, recipe.example, 3, tmp_path / "out", workers=1)
    assert made["counts"]["samples"] == 3
    assert made["counts"]["failures"] == 0
    assert len(list(read_samples(tmp_path / "out"))) == 3


def test_it_has_a_page(recipe: Recipe) -> None:
    page = Path(__file__).parents[2] / "docs" / "recipes" / f"{recipe.name}.md"
    assert f"generated: options of {recipe.name.replace('-', ' ')}" in page.read_text("utf-8")
