"""A recipe is found by its name or file, and says what is wrong with it, or with its config, and where."""

from __future__ import annotations

import contextlib
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from tests.pipeline.small import source

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.layout import assistant, layout, user
from retroweave.pipeline.pipeline import Pipeline
from retroweave.pipeline.recipe import GROUP, Config, Recipe, find_recipe, installed_recipes, read_config, recipe


class Pointed(Config):
    where: str


class Choices(Config):
    shortest: int = Field(default=3, ge=1)
    """The shortest text."""
    longest: int = 10
    """The longest text."""
    floor: float = 0.5
    name: str | None = None


@recipe(name="small-one", presets={"long": {"longest": 1000}}, example=Choices(shortest=1))
def small(config: Choices) -> Pipeline:
    """Say what you read.

    Nothing is guaranteed.
    """
    return Pipeline(source({"passage": "a" * config.shortest}), layout(user("{passage}"), assistant("{passage}")))


FILE = """
from __future__ import annotations

from retroweave import Config, Pipeline, assistant, given, layout, recipe, user


class Mine(Config):
    count: int = 1


@recipe
def my_recipe(config: Mine) -> Pipeline:
    '''Count.'''
    source = given(lambda: iter(()), {"number": str}, licenses=("CC0-1.0",), fingerprint=str)
    return Pipeline(source, layout(user("{number}"), assistant("{number}")))
"""


@pytest.fixture(autouse=True)
def _forgotten(tmp_path: Path) -> Iterator[None]:
    yield
    find_recipe.cache_clear()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder: Path, text: str, name: str = "mine.py") -> str:
    path = folder / name
    path.write_text(dedent(text), "utf-8")
    return str(path)


class TestDeclaring:
    def test_a_recipe_takes_its_name_and_words_from_its_function(self) -> None:
        assert small.name == "small-one"
        assert small.title == "Say what you read."
        assert small.config_type is Choices
        assert small.example == Choices(shortest=1)
        assert small.presets == {"long": {"longest": 1000}}

    def test_a_function_name_becomes_a_name_with_dashes_and_the_example_the_default(self) -> None:
        @recipe
        def two_words(config: Choices) -> Pipeline:
            """Say."""
            return small.pipeline(config)

        assert two_words.name == "two-words"
        assert two_words.example == Choices()

    def test_the_same_config_gives_the_same_pipeline(self) -> None:
        assert small.pipeline(Choices()).steps == small.pipeline(Choices()).steps

    def test_a_config_with_keys_that_must_be_given_needs_an_example(self) -> None:
        def pointed(config: Pointed) -> Pipeline:
            """Point somewhere."""
            return small.pipeline(Choices())

        with pytest.raises(UserError, match=r"no default for where, .* @recipe\(example=Pointed\(where=\.\.\.\)\)"):
            recipe(pointed)
        assert recipe(example=Pointed(where="there"))(pointed).example == Pointed(where="there")

    def test_a_recipe_without_a_docstring_is_refused(self) -> None:
        def silent(config: Choices) -> Pipeline:
            return small.pipeline(config)

        with pytest.raises(UserError, match="'silent' has no docstring"):
            recipe(silent)

    def test_a_recipe_that_takes_no_config_is_refused(self) -> None:
        def wrong(config: dict[str, Any]) -> Pipeline:
            """Say."""
            return small.pipeline(Choices())

        def none() -> Pipeline:
            """Say."""
            return small.pipeline(Choices())

        functions: list[Any] = [wrong, none]
        for function in functions:
            with pytest.raises(UserError, match=rf"'{function.__name__}' takes one parameter, its config"):
                recipe(function)

    def test_a_preset_that_sets_what_there_is_not_is_refused_where_it_stands(self) -> None:
        def wrong(config: Choices) -> Pipeline:
            """Say."""
            return small.pipeline(config)

        with pytest.raises(UserError, match=r"preset 'long' of 'wrong'.*'longset'.*Did you mean 'longest'"):
            recipe(presets={"long": {"longset": 3}})(wrong)


class TestConfig:
    def test_values_become_a_frozen_config(self) -> None:
        config = small.configure({"longest": "20", "floor": 1})
        assert config == Choices(longest=20, floor=1.0)
        with pytest.raises(ValidationError, match="frozen"):
            config.longest = 3

    def test_a_preset_is_a_mapping_that_other_values_may_go_over(self) -> None:
        assert small.configure({**small.presets["long"], "shortest": 2}) == Choices(longest=1000, shortest=2)

    @pytest.mark.parametrize(
        ("key", "suggestion"),
        [("longset", "Did you mean 'longest'?"), ("xyz", "There is floor, longest, name, shortest.")],
    )
    def test_an_unknown_key_is_named_with_the_near_one(self, key: str, suggestion: str) -> None:
        with pytest.raises(UserError) as caught:
            small.configure({key: 3})
        assert f"'small-one' has no config key {key!r}. {suggestion}" in str(caught.value)
        assert "retroweave show small-one" in str(caught.value)

    def test_each_wrong_value_is_named_with_what_it_is_and_what_was_expected(self) -> None:
        with pytest.raises(UserError) as caught:
            small.configure({"shortest": 0, "longest": "many"})
        said = str(caught.value)
        assert "shortest: Input should be greater than or equal to 1 (it is 0)" in said
        assert "longest: Input should be a valid integer" in said
        assert "(it is 'many')" in said

    def test_a_fields_docstring_is_its_help(self) -> None:
        assert Choices.model_fields["longest"].description == "The longest text."

    @given(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4))
    def test_whatever_a_person_gives_is_a_config_or_an_error_that_can_be_read(self, values: dict[str, Any]) -> None:
        known = values.keys() <= Choices.model_fields.keys()
        with contextlib.suppress(UserError):
            assert isinstance(small.configure(values), Choices)
            assert known


class TestFinding:
    def test_a_file_holds_a_recipe(self, tmp_path: Path) -> None:
        found = find_recipe(write(tmp_path, FILE))
        assert found.name == "my-recipe"
        assert found.reference == str(tmp_path / "mine.py")
        assert found.configure({"count": 3}).model_dump() == {"count": 3}
        assert found.pipeline(found.example).steps

    def test_a_relative_file_is_found_again_from_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path, FILE)
        monkeypatch.chdir(tmp_path)
        found = find_recipe("./mine.py")
        monkeypatch.chdir("/")
        assert find_recipe(found.reference).name == "my-recipe"

    def test_a_file_is_read_once_and_its_objects_are_the_same(self, tmp_path: Path) -> None:
        path = write(tmp_path, FILE)
        assert find_recipe(path) is find_recipe(path)

    def test_a_file_that_is_not_there_says_how_to_write_one(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"no recipe file '.*none\.py'.*retroweave new"):
            find_recipe(str(tmp_path / "none.py"))

    def test_a_file_of_another_kind_is_no_recipe(self, tmp_path: Path) -> None:
        (tmp_path / "mole.txt").write_text("The mole was begun in 1592.")
        with pytest.raises(UserError, match=r"mole\.txt' is no recipe: a recipe is a \.py file"):
            find_recipe(str(tmp_path / "mole.txt"))

    def test_a_syntax_error_is_shown_with_its_line(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"mine\.py' has a syntax error in line 3: .*: return 3 \+"):
            find_recipe(write(tmp_path, "def f():\n    # why\n    return 3 +\n"))

    def test_a_syntax_error_in_what_it_imports_is_told_apart(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(tmp_path)
        write(tmp_path, "x = (\n", "its_helper.py")
        with pytest.raises(UserError, match=r"mine\.py' cannot be loaded: SyntaxError in line 2: .*its_helper\.py"):
            find_recipe(write(tmp_path, "\nimport its_helper\n"))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("import os\nimport no_such_module\n", "ModuleNotFoundError in line 2: No module named 'no_such_module'"),
            ("\n\nx = 1 / 0\n", "ZeroDivisionError in line 3: division by zero"),
            ("import sys\nsys.exit(3)\n", "SystemExit in line 2: 3"),
        ],
    )
    def test_what_goes_wrong_while_it_is_loaded_is_shown_with_its_line(
        self, tmp_path: Path, text: str, said: str
    ) -> None:
        with pytest.raises(UserError) as caught:
            find_recipe(write(tmp_path, text))
        assert f"mine.py' cannot be loaded: {said}" in str(caught.value)
        assert not [name for name in sys.modules if name.startswith("mine_")]

    def test_a_fault_that_is_told_already_is_not_wrapped(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"^The recipe 'my_recipe' has no docstring"):
            find_recipe(write(tmp_path, FILE.replace("'''Count.'''", "")))

    def test_two_recipes_in_a_file_are_refused_by_name(self, tmp_path: Path) -> None:
        twin = FILE[FILE.index("@recipe") :].replace("my_recipe", "another")
        with pytest.raises(UserError, match=r"holds one function marked @recipe; .*mine\.py' holds my-recipe, another"):
            find_recipe(write(tmp_path, FILE + twin))

    def test_a_recipe_with_a_second_name_in_its_file_is_one(self, tmp_path: Path) -> None:
        assert find_recipe(write(tmp_path, FILE + "\nagain = my_recipe\n")).name == "my-recipe"

    def test_an_imported_recipe_is_not_the_files_own(self, tmp_path: Path) -> None:
        borrowed = "from retroweave.recipes.prose_repair import prose_repair\n"
        with pytest.raises(UserError, match="holds none"):
            find_recipe(write(tmp_path, borrowed))
        find_recipe.cache_clear()
        assert find_recipe(write(tmp_path, FILE + borrowed, "two.py")).name == "my-recipe"

    def test_files_of_one_name_in_two_folders_are_two_modules(self, tmp_path: Path) -> None:
        found = []
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            found.append(find_recipe(write(tmp_path / folder, FILE)))
        assert len({one.build.__module__ for one in found}) == 2


class TestInstalled:
    """Recipes of a package that is really there, with its entry points in a folder that Python looks through."""

    @pytest.fixture(autouse=True)
    def _package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path, FILE, "my_package.py")
        described = tmp_path / "my_package-1.0.dist-info"
        described.mkdir()
        write(described, "Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n", "METADATA")
        entries = {"mine": "my_package:my_recipe", "broken": "my_package:Mine", "gone": "no_such_package:recipe"}
        lines = [f"{name} = {value}" for name, value in entries.items()]
        write(described, "\n".join([f"[{GROUP}]", *lines, ""]), "entry_points.txt")
        monkeypatch.syspath_prepend(tmp_path)

    def test_an_entry_point_is_found_by_its_name(self) -> None:
        found = find_recipe("mine")
        assert isinstance(found, Recipe)
        assert (found.name, found.reference) == ("my-recipe", "mine")

    def test_what_is_installed_is_listed_by_name(self) -> None:
        names = list(installed_recipes())
        assert {"broken", "gone", "mine"} <= set(names)
        assert names == sorted(names)

    def test_an_unknown_name_is_told_the_near_one(self) -> None:
        with pytest.raises(UserError, match=r"no recipe 'brokn'\. Did you mean 'broken'\?.*\./my_recipe\.py"):
            find_recipe("brokn")

    def test_a_name_near_to_none_is_told_what_there_is(self) -> None:
        with pytest.raises(UserError, match=r"no recipe 'xyz'\. There is .*broken, .*gone, .*mine"):
            find_recipe("xyz")

    def test_an_entry_point_that_is_no_recipe_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"'broken' \(my_package:Mine\) is no retroweave recipe"):
            find_recipe("broken")

    def test_an_entry_point_that_cannot_be_loaded_says_why(self) -> None:
        with pytest.raises(UserError, match=r"'gone' \(no_such_package:recipe\) cannot be loaded: ModuleNotFoundError"):
            find_recipe("gone")


def test_our_own_recipes_come_in_by_the_door_that_anybody_uses() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"][
        "entry-points"
    ][GROUP]
    assert declared
    for name, value in declared.items():
        assert EntryPoint(name, value, GROUP).load().name == name


class TestConfigFiles:
    def test_a_config_file_is_a_mapping(self, tmp_path: Path) -> None:
        path = tmp_path / "config.yaml"
        path.write_text("longest: 20\nname: bread\n7: seven\n", "utf-8")
        assert read_config(path) == {"longest": 20, "name": "bread", "7": "seven"}

    def test_an_empty_config_file_chooses_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "config.yaml"
        path.write_text("# nothing yet\n", "utf-8")
        assert read_config(path) == {}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"- a\n- b\n", "must hold `key: value` lines, not a list"),
            (b"just words", "must hold `key: value` lines, not a str"),
            (b"a: [1\n", "is no YAML: while parsing a flow sequence"),
            (b"a: \xff\n", "cannot be read: "),
            (b"a: !!python/object/apply:os.system ['true']\n", "is no YAML: could not determine a constructor"),
        ],
    )
    def test_what_is_no_mapping_is_refused_with_the_file(self, tmp_path: Path, text: bytes, said: str) -> None:
        path = tmp_path / "config.yaml"
        path.write_bytes(text)
        with pytest.raises(UserError) as caught:
            read_config(path)
        assert f"The config file {str(path)!r} {said}" in str(caught.value)

    def test_a_config_file_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"none\.yaml' cannot be read"):
            read_config(tmp_path / "none.yaml")
