"""Code transformation: each turn asks for a real function by what is true of it, and gets one that passes its tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from retroweave import Drop
from retroweave.export.dataset import read_samples
from retroweave.making import make
from retroweave.pipeline.errors import RunStopped, UserError
from retroweave.recipes import code_transform as module
from retroweave.recipes.code_transform import (
    answers_pass,
    code_transform,
    examples,
    examples_are_true,
    nothing_is_guessed,
)
from retroweave.recipes.transform_ways import State, is_apart
from retroweave.recipes.transform_words import Forms, Phrases, dress, words, write_answers, write_requests
from retroweave.sources.functions import functions
from retroweave.sources.neighbours import Neighbour
from retroweave.text.python_code import top_functions
from retroweave.verifiers.sandbox.shared import Sandboxes

POOLS = ("first", "later", "last", "stub", "sentence", "signature", "examples", "before")
EXAMPLE: Any = code_transform.example
SANDBOXES = Sandboxes()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("transform") / "out"
    make(code_transform, EXAMPLE, 1000, out, workers=1)
    return [dict(sample) for sample in read_samples(out)]


def turns(sample: dict[str, Any]) -> Iterator[tuple[str, str]]:
    messages = sample["messages"]
    for question, answer in zip(messages[::2], messages[1::2], strict=True):
        assert (question["role"], answer["role"]) == ("user", "assistant")
        assert (question["train"], answer["train"]) == (False, True)
        yield question["content"], answer["content"]


def code_in(answer: str) -> str:
    found = re.search(r"```python\n(.*?)```$", answer, re.DOTALL)
    assert found
    return found[1]


def test_its_example_gives_ways_of_two_turns_and_more(samples: list[dict[str, Any]]) -> None:
    assert len(samples) >= 6
    assert {len(list(turns(sample))) for sample in samples} >= {2, 3}


def test_each_answer_is_a_function_of_the_corpus(samples: list[dict[str, Any]]) -> None:
    corpus = {row.fields["function"]: row.fields["code"] for row in functions(EXAMPLE.code, license="CC0-1.0").rows()}
    for sample in samples:
        for _, answer in turns(sample):
            code = code_in(answer)
            [name] = top_functions(code)
            given = [line for line in corpus[name].splitlines() if line.strip()]
            kept = [line for line in code.splitlines() if line.strip()]
            assert set(kept) <= set(given)


def test_each_answer_passes_the_tests_that_are_kept_with_the_sample(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        tests = sample["provenance"]["kept"]["tests"]
        for (_, answer), lines in zip(turns(sample), tests[1:], strict=True):
            space: dict[str, Any] = {}
            exec(code_in(answer), space)  # noqa: S102 - it is our own example
            assert len(lines) >= 6
            for line in lines:
                call, _, value = line.partition(" -> ")
                assert eval(call, space) == ast.literal_eval(value)  # noqa: S307 - likewise


def test_each_request_names_the_function_and_gives_its_head(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        names = sample["provenance"]["kept"]["functions"]
        for (request, _), (old, new) in zip(turns(sample), pairwise(names), strict=True):
            assert re.search(rf"def {new}\(levels: list\[int\].*\) -> int", request)
            assert new in request.replace(f"def {new}", "")
            assert old != new


def test_a_docstring_is_in_an_answer_only_where_the_request_shows_it(samples: list[dict[str, Any]]) -> None:
    told = set()
    for sample in samples:
        told.add(sample["provenance"]["measures"]["told_by"])
        for request, answer in turns(sample):
            docstring = ast.get_docstring(ast.parse(code_in(answer)).body[0])  # type: ignore[arg-type]
            assert docstring is None or docstring in request
    assert told == {"docstring", "sentence", "examples"}


def test_no_function_stands_in_a_conversation_before_it_is_asked_for(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        said = ""
        for request, answer in turns(sample):
            said += request
            assert code_in(answer) not in said
            said += answer


def test_a_way_ends_where_its_row_does(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        assert sample["provenance"]["source"]["key"].endswith(f"::{sample['provenance']['kept']['functions'][-1]}")
        assert len(sample["provenance"]["kept"]["urls"]) == len(sample["provenance"]["kept"]["functions"])


@pytest.mark.parametrize("pool", POOLS)
def test_there_are_many_voices(pool: str) -> None:
    phrases = words(pool)
    assert len(phrases) >= 25
    assert len(set(phrases)) == len(phrases)
    openings = [" ".join(phrase.split()[:2]) for phrase in phrases]
    assert max(map(openings.count, openings)) <= 4


@pytest.mark.parametrize("pool", [path.stem for path in Path(module.HERE).glob("*.txt")])
def test_even_a_small_pool_has_twenty_voices_and_no_two_alike(pool: str) -> None:
    phrases = words(pool)
    assert len(phrases) >= 20
    assert len(set(phrases)) == len(phrases)


@pytest.mark.parametrize("pool", [path.stem for path in Path(module.HERE).glob("*.txt")])
def test_phrasings_name_nothing_that_is_not_given(pool: str) -> None:
    known = {"old", "new", "code", "signature", "sentence", "had", "want"}
    for phrase in words(pool):
        assert set(re.findall(r"\{(\w+)\}", phrase)) <= known


def test_a_user_says_nothing_twice_in_a_conversation() -> None:
    say = Phrases(Random(1))
    drawn = [say("later", old="a", new="b") for _ in words("later")]
    assert len(set(drawn)) == len(drawn)
    assert drawn != [Phrases(Random(2))("later", old="a", new="b") for _ in drawn]


def row(**changed: Any) -> dict[str, Any]:
    return examples() | changed


def checked(check: Any, **changed: Any) -> bool:
    fields = row(**changed)
    names = check.__code__.co_varnames[: check.__code__.co_argcount]
    found = check(**{name: fields[name] for name in names if name != "sandboxes"}, **_sandboxes(names))
    return bool(found)


def _sandboxes(names: tuple[str, ...]) -> dict[str, Any]:
    return {"sandboxes": SANDBOXES} if "sandboxes" in names else {}


def test_a_false_example_is_noticed() -> None:
    assert checked(examples_are_true)
    changed = [request.replace("8", "9") for request in row()["requests"]]
    assert not checked(examples_are_true, requests=changed)


def test_a_false_claim_of_what_the_function_before_gives_is_noticed() -> None:
    assert not checked(examples_are_true, changes=[[("single(1)", "7", "double(1)", "2")]])


def test_an_answer_that_fails_a_test_is_noticed() -> None:
    assert checked(answers_pass)
    assert not checked(answers_pass, answers=["```python\ndef double(weight):\n    return 5 * weight\n```"])
    assert not checked(answers_pass, answers=["```python\ndef twice(weight):\n    return 2 * weight\n```"])


def test_a_number_from_nowhere_is_noticed() -> None:
    assert checked(nothing_is_guessed)
    with pytest.raises(Drop, match="nobody could know"):
        checked(nothing_is_guessed, codes=["", "def double(weight):\n    return weight * 4711\n"])


@pytest.mark.parametrize("seed", range(40))
def test_every_request_holds_every_example(seed: int) -> None:
    given = row()
    requests = write_requests(given["path"], given["codes"], "examples", given["changes"], Random(seed))
    assert checked(examples_are_true, requests=requests)
    assert len(requests) == 1


@pytest.mark.parametrize("seed", range(40))
def test_an_answer_is_code_with_at_most_a_line_before_it(seed: int) -> None:
    given = row()
    [answer] = write_answers(given["path"], given["codes"], Random(seed))
    before = answer.partition("```python\n")[0]
    assert before.count("\n") in (0, 2)
    assert code_in(answer) == given["codes"][1]


def test_a_form_that_would_leave_something_to_guess_is_not_chosen() -> None:
    first, second = row()["path"]
    docstring = "Double the weight, and add 4711 grams for the crate."
    code = f'def double(weight: int) -> int:\n    """{docstring}"""\n    return 2 * weight + 4711\n'
    told = State("double", second.signature, docstring, code, "", second.suite)
    chosen = {dress([first, told], Forms(2, 2, 1), Random(seed))[0] for seed in range(30)}
    assert chosen == {"docstring", "sentence"}
    with pytest.raises(Drop, match="nobody could know"):
        dress([first, told], Forms(0, 0, 1), Random(0))


def test_a_config_that_cannot_be_met_is_refused() -> None:
    with pytest.raises(UserError, match="longest at least as large"):
        code_transform.configure({"fewest": 5, "longest": 4})
    with pytest.raises(UserError, match="must be above 0"):
        code_transform.configure({"with_docstring": 0, "with_sentence": 0, "by_example": 0})


def test_a_function_of_a_benchmark_is_on_no_way(tmp_path: Path) -> None:
    code = (EXAMPLE.code / "tides.py").read_text("utf-8").replace("def longest_flood", "def median")
    (tmp_path / "tides.py").write_text(code, "utf-8")
    config: Any = code_transform.configure({"code": tmp_path, "license": "CC0-1.0", "validation": 0})
    make(code_transform, config, 1000, tmp_path / "out", workers=1)
    names = {name for sample in read_samples(tmp_path / "out") for name in sample["provenance"]["kept"]["functions"]}
    assert names
    assert "median" not in names


def test_a_function_that_does_the_same_by_another_name_is_no_step(tmp_path: Path) -> None:
    code = (EXAMPLE.code / "tides.py").read_text("utf-8")
    first = code.index("def floods")
    one = code[first : code.index("def flood_starts")].rstrip()
    (tmp_path / "tides.py").write_text(f"{one}\n\n\n{one.replace('def floods', 'def inundations')}\n", "utf-8")
    config: Any = code_transform.configure({"code": tmp_path, "license": "CC0-1.0", "validation": 0})
    with pytest.raises(RunStopped, match="no way leads to it"):
        make(code_transform, config, 1000, tmp_path / "out", workers=1)


@pytest.mark.parametrize(
    "code",
    [
        "def weigh(a):\n    return a\n\n\ndef scale(a):\n    return weigh(a)\n",
        "from scales import weigh\n\n\ndef scale(a):\n    return weigh(a)\n",
        "from scales import weighed as weigh\n\n\ndef scale(a):\n    return weigh(a)\n",
    ],
)
def test_a_function_that_brings_a_later_one_along_is_on_no_way(code: str) -> None:
    assert not is_apart((neighbour("scale", code), neighbour("weigh", "def weigh(a):\n    return a\n")))
    assert is_apart((neighbour("scale", code), neighbour("tare", "def tare(a):\n    return a\n")))
    assert is_apart((neighbour("weigh", "def weigh(a):\n    return a\n"), neighbour("scale", code)))


def neighbour(name: str, code: str) -> Neighbour:
    return Neighbour(name, code, name, f"def {name}(a):", "", "", "", "CC0-1.0", "train")
