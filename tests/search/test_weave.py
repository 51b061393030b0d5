"""Weave never spends more than it may, draws by the law that it states, and finds more than best-of-n for the same."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import UserError
from retroweave.search.weave import Piece, Tree, Weave, weave

T = TypeVar("T")


@dataclass
class Scripted:
    """A writer and a judge whose answers hang on nothing but the text, in every order and on every machine."""

    lookahead: int = 8
    waits: bool = False
    """Whether each text is answered after a while of its own, so that later ones may be ready before earlier ones."""
    paid: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)
    """How many texts were sent at once, and how many continuations of each were asked for."""
    scored: list[str] = field(default_factory=list)

    async def expand(self, texts: Sequence[str], count: int) -> list[list[Piece]]:
        self.asked.append((len(texts), count))
        return await asyncio.gather(*(self._continued(text, count) for text in texts))

    async def score(self, texts: Sequence[str]) -> list[float]:
        self.scored += texts
        return await asyncio.gather(*(self._scored(text) for text in texts))

    async def _continued(self, text: str, count: int) -> list[Piece]:
        await self._wait()
        pieces = [self._piece(Random(zlib.crc32(f"{text}/{number}".encode()))) for number in range(count)]
        self.paid += sum(piece.tokens for piece in pieces)
        return pieces

    def _piece(self, rng: Random) -> Piece:
        tokens = rng.randint(0, self.lookahead)
        return Piece("".join(rng.choices("ab", k=tokens)), rng.random() < 0.2, tokens)

    async def _scored(self, text: str) -> float:
        await self._wait()
        return Random(zlib.crc32(text.encode())).random()

    async def _wait(self) -> None:
        if self.waits:
            await asyncio.sleep(random.random() / 2000)


def searched(scripted: Scripted, settings: Weave, seed: int = 0) -> Tree:
    return asyncio.run(weave("@", scripted.expand, scripted.score, settings, Random(seed)))


@st.composite
def searches(draw: st.DrawFn) -> Weave:
    lookahead = draw(st.integers(1, 12))
    return Weave(
        budget=draw(st.integers(lookahead, 400)),
        lookahead=lookahead,
        width=draw(st.integers(1, 5)),
        beam=draw(st.integers(1, 5)),
        rounds=draw(st.integers(1, 12)),
        temperature=draw(st.sampled_from([0.0, 1e-300, 0.05, 0.5, 10.0])),
        commit=draw(st.integers(0, 3)),
        wanted=draw(st.integers(1, 4)),
    )


# What is paid


@given(searches(), st.integers(0, 1000))
def test_the_budget_is_never_exceeded_and_all_that_was_paid_is_counted(settings: Weave, seed: int) -> None:
    scripted = Scripted(settings.lookahead)
    tree = searched(scripted, settings, seed)
    assert tree.spent == scripted.paid <= settings.budget
    assert sum(node.tokens for node in tree.nodes) <= tree.spent
    assert tree.rounds == len(scripted.asked) <= settings.rounds


@given(searches(), st.integers(0, 1000))
def test_what_is_sent_would_fit_if_each_continuation_took_all_that_it_may(settings: Weave, seed: int) -> None:
    class Watched(Scripted):
        async def expand(self, texts: Sequence[str], count: int) -> list[list[Piece]]:
            assert self.paid + len(texts) * count * settings.lookahead <= settings.budget
            assert 1 <= len(texts) <= settings.beam
            assert 1 <= count <= settings.width
            return await super().expand(texts, count)

    assert searched(Watched(settings.lookahead), settings, seed).chosen


def test_the_rest_of_a_budget_goes_into_fewer_texts_and_then_into_fewer_continuations() -> None:
    class Greedy(Scripted):
        def _piece(self, rng: Random) -> Piece:
            return Piece(str(rng.random()), False, self.lookahead)

    greedy = Greedy(10)
    tree = searched(greedy, Weave(budget=10 * (3 + 6 + 3 + 2) + 9, lookahead=10, width=3, beam=2))
    assert greedy.asked == [(1, 3), (2, 3), (1, 3), (1, 2)]
    assert tree.spent == tree.budget - 9


def test_texts_of_one_round_are_sent_together_and_each_is_judged_once() -> None:
    scripted = Scripted()
    tree = searched(scripted, Weave(budget=10_000, lookahead=8, width=3, beam=4, rounds=5))
    assert [texts for texts, _ in scripted.asked] == [
        sum(node.expanded == number for node in tree.nodes) for number in range(1, tree.rounds + 1)
    ]
    assert scripted.scored == ["@" + tree.text(node) for node in range(1, len(tree.nodes))]


# What hangs on what


@given(searches(), st.integers(0, 1000))
def test_the_same_answers_give_the_same_tree_in_whatever_order_they_come(settings: Weave, seed: int) -> None:
    prompt, late = (searched(Scripted(settings.lookahead, waits), settings, seed) for waits in (False, True))
    assert prompt == late


def test_another_seed_may_give_another_tree() -> None:
    settings = Weave(budget=300, lookahead=8, temperature=0.3)
    assert len({searched(Scripted(), settings, seed) for seed in range(5)}) > 1


@given(searches(), st.integers(0, 1000))
def test_a_tree_holds_together(settings: Weave, seed: int) -> None:
    tree = searched(Scripted(settings.lookahead), settings, seed)
    assert tree.nodes[0].parent is None
    assert all(node.parent is not None and node.parent < place for place, node in enumerate(tree.nodes[1:], 1))
    parents = {node.parent for node in tree.nodes}
    assert all(tree.nodes[parent].expanded for parent in parents - {None} if parent is not None)
    assert not any(node.end and node.expanded for node in tree.nodes)
    leaves = [place for place in range(len(tree.nodes)) if place not in parents]
    assert set(tree.chosen) <= set(leaves)
    assert len(set(tree.chosen)) == len(tree.chosen) <= settings.wanted
    assert all(tree.committed in tree.path(place) for place in tree.chosen)
    reachable = [place for place in leaves if tree.committed in tree.path(place)]
    ended = [place for place in reachable if tree.nodes[place].end]
    assert set(tree.chosen) <= set(ended or reachable)
    assert len(tree.chosen) == min(settings.wanted, len(ended or reachable))


# Temperature 0


def _best_first(tree: Tree, settings: Weave) -> None:
    """Each round went on with the best of what was open then, and the best of what ended was chosen."""
    made = [0, *(tree.nodes[node.parent].expanded or 0 for node in tree.nodes if node.parent is not None)]
    scores = [node.score or 0.0 for node in tree.nodes]
    for number in range(1, tree.rounds + 1):
        is_open = [
            place
            for place, node in enumerate(tree.nodes)
            if made[place] < number <= (node.expanded or math.inf) and not node.end
        ]
        drawn = [place for place in is_open if tree.nodes[place].expanded == number]
        passed = [place for place in is_open if tree.nodes[place].expanded != number]
        assert min(scores[place] for place in drawn) >= max((scores[place] for place in passed), default=-math.inf)
    chosen = [scores[place] for place in tree.chosen]
    parents = {node.parent for node in tree.nodes}
    leaves = [place for place in range(len(tree.nodes)) if place not in parents]
    ended = [place for place in leaves if tree.nodes[place].end]
    assert chosen == sorted((scores[place] for place in ended or leaves), reverse=True)[: settings.wanted]


@given(searches(), st.integers(0, 1000))
def test_at_temperature_0_it_is_greedy_best_first_whatever_the_seed(settings: Weave, seed: int) -> None:
    greedy = replace(settings, temperature=0.0, commit=0)
    tree = searched(Scripted(settings.lookahead), greedy, seed)
    _best_first(tree, greedy)
    assert all(node.perturbed in (None, node.score or 0.0) for node in tree.nodes)
    assert tree == searched(Scripted(settings.lookahead), greedy, seed + 1)


@given(searches(), st.integers(0, 1000))
def test_as_the_temperature_falls_to_0_it_becomes_greedy(settings: Weave, seed: int) -> None:
    cold = replace(settings, temperature=1e-12)
    tree, greedy = (
        searched(Scripted(settings.lookahead), one, seed) for one in (cold, replace(settings, temperature=0.0))
    )
    assert [node.expanded for node in tree.nodes] == [node.expanded for node in greedy.nodes]
    assert (tree.chosen, tree.committed) == (greedy.chosen, greedy.committed)


def test_the_check_for_best_first_can_fail() -> None:
    settings = Weave(budget=300, lookahead=8, temperature=10.0, wanted=4)
    with pytest.raises(AssertionError):
        _best_first(searched(Scripted(), settings), settings)


def test_among_equals_the_deepest_is_gone_on_with_so_that_something_ends() -> None:
    async def score(texts: Sequence[str]) -> list[float]:
        return [1.0] * len(texts)

    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[Piece(letter, len(text) == 6, 1) for letter in "abc"[:count]] for text in texts]

    tree = asyncio.run(weave("", expand, score, Weave(21, lookahead=1, width=3, beam=1, temperature=0), Random(0)))
    assert tree.texts == ["aaaaaaa"]


# The law of the draws, on a tree that is wholly known


TOY: Mapping[str, Sequence[tuple[str, bool]]] = {
    "": (("a", False), ("b", False), ("c", True)),
    "a": (("x", True), ("y", True), ("z", False)),
    "b": (("x", True), ("y", True)),
    "az": (("!", True), ("?", True)),
}
SCORES = {"a": 0.5, "b": 0.1, "c": 0.3, "ax": 0.9, "ay": 0.2, "az": 0.4, "bx": 0.8, "by": 0.6, "az!": 0.7, "az?": 0.0}
LEAVES = ("c", "ax", "ay", "bx", "by", "az!", "az?")
CRITICAL = {1: 10.83, 6: 22.46, 41: 74.74}
"""The value of chi-square that is exceeded once in a thousand, for each number of degrees of freedom."""
DRAWS = 6000


async def expand_toy(texts: Sequence[str], count: int) -> list[list[Piece]]:
    return [[Piece(piece, end, 1) for piece, end in TOY[text][:count]] for text in texts]


async def score_toy(texts: Sequence[str]) -> list[float]:
    return [SCORES[text] for text in texts]


WHOLE = Weave(budget=100, lookahead=1, width=3, beam=2, temperature=0.4)


def toy_trees(settings: Weave) -> list[Tree]:
    """One search for each of as many seeds, always the same ones: a test that passes once passes always."""

    async def grown() -> list[Tree]:
        return [await weave("", expand_toy, score_toy, settings, Random(seed)) for seed in range(DRAWS)]

    return asyncio.run(grown())


def softmax(scores: Mapping[str, float], temperature: float) -> dict[str, float]:
    weights = {name: math.exp(score / temperature) for name, score in scores.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def pairs(scores: Mapping[str, float], temperature: float) -> dict[tuple[str, str], float]:
    """The probability of each first and second, drawn one after the other and not put back."""
    first = softmax(scores, temperature)
    return {
        (one, other): first[one] * first[other] / (1 - first[one]) for one, other in itertools.permutations(scores, 2)
    }


def chi_square(found: Sequence[T], expected: Mapping[T, float]) -> float:
    counts = Counter(found)
    assert counts.keys() <= expected.keys()
    means = {name: probability * len(found) for name, probability in expected.items()}
    assert min(means.values()) >= 5
    return sum((counts[name] - mean) ** 2 / mean for name, mean in means.items())


LEAF_SCORES = {leaf: SCORES[leaf] for leaf in LEAVES}


def test_leaves_of_a_whole_tree_follow_the_tempered_scores() -> None:
    trees = toy_trees(WHOLE)
    assert {len(tree.nodes) for tree in trees} == {11}
    found = [tree.texts[0] for tree in trees]
    assert chi_square(found, softmax(LEAF_SCORES, 0.4)) < CRITICAL[6]


@pytest.mark.parametrize("wrong", [0.36, 0.44, 1.0])
def test_the_check_of_the_law_tells_another_temperature_apart(wrong: float) -> None:
    found = [tree.texts[0] for tree in toy_trees(WHOLE)]
    assert chi_square(found, softmax(LEAF_SCORES, wrong)) > CRITICAL[6]


def test_several_leaves_are_drawn_without_replacement_and_in_order() -> None:
    found = [(tree.texts[0], tree.texts[1]) for tree in toy_trees(replace(WHOLE, wanted=2))]
    assert chi_square(found, pairs(LEAF_SCORES, 0.4)) < CRITICAL[41]


def test_the_leaf_to_go_on_with_follows_the_tempered_scores_too() -> None:
    trees = toy_trees(replace(WHOLE, beam=1, rounds=2))
    found = [tree.text(place) for tree in trees for place, node in enumerate(tree.nodes) if node.expanded == 2]
    assert len(found) == DRAWS
    assert chi_square(found, softmax({"a": 0.5, "b": 0.1}, 0.4)) < CRITICAL[1]


def test_a_tree_cut_short_by_its_budget_gives_what_ended_by_the_same_law() -> None:
    """Given the tree: here one of two, and the law is held against each."""
    trees = toy_trees(replace(WHOLE, beam=1, rounds=2))
    through_b = [tree.texts[0] for tree in trees if any(tree.text(place) == "bx" for place in range(len(tree.nodes)))]
    law = softmax({leaf: SCORES[leaf] for leaf in ("c", "bx", "by")}, 0.4)
    assert len(through_b) > 1000
    assert chi_square([leaf == "c" for leaf in through_b], {True: law["c"], False: 1 - law["c"]}) < CRITICAL[1]
    ended = [leaf for leaf in through_b if leaf != "c"]
    assert (
        chi_square([leaf == "bx" for leaf in ended], {True: _share(law, "bx"), False: _share(law, "by")}) < CRITICAL[1]
    )


def _share(law: Mapping[str, float], leaf: str) -> float:
    return law[leaf] / (law["bx"] + law["by"])


def test_a_branch_is_committed_with_the_sum_of_what_its_leaves_have() -> None:
    trees = toy_trees(replace(WHOLE, commit=3, rounds=3))
    law = softmax(LEAF_SCORES, 0.4)
    through_a = sum(probability for leaf, probability in law.items() if leaf.startswith("a"))
    found = [tree.text(tree.committed) == "a" for tree in trees]
    assert chi_square(found, {True: through_a, False: 1 - through_a}) < CRITICAL[1]


# Committed prefixes


def test_once_committed_the_search_stays_below() -> None:
    class Watched(Scripted):
        def _piece(self, rng: Random) -> Piece:
            return Piece(rng.choice("abcdef") * 4, False, 4)

    watched = Watched(8)
    tree = searched(watched, Weave(budget=2000, lookahead=8, width=3, beam=2, rounds=8, commit=2))
    path = tree.path(tree.committed)
    assert len(path) == 1 + 4
    made = {place: tree.nodes[node.parent].expanded for place, node in enumerate(tree.nodes) if node.parent is not None}
    for number, settled in enumerate(path[1:], 1):
        later = [place for place, node in made.items() if node is not None and node > 2 * number]
        assert later or number == 4
        assert all(settled in tree.path(place) for place in later)


def test_a_text_beside_the_committed_prefix_may_be_reached_again_below_it() -> None:
    answers = {"": ["a", "ab"], "a": ["b", "c"]}

    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[Piece(piece, False, 1) for piece in answers[text]] for text in texts]

    async def score(texts: Sequence[str]) -> list[float]:
        return [{"a": 1.0, "ab": 0.5, "ac": 0.0}[text] for text in texts]

    settings = Weave(10, lookahead=1, width=2, beam=1, rounds=2, temperature=0)
    for commit, found in ((1, ["a", "ab", "ab", "ac"]), (0, ["a", "ab", "ac"])):
        tree = asyncio.run(weave("", expand, score, replace(settings, commit=commit), Random(0)))
        assert [tree.text(place) for place in range(1, len(tree.nodes))] == found


# Beside the point


def test_a_text_that_comes_twice_has_one_node_and_is_paid_twice() -> None:
    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[Piece(".", True, 3)] * count for _ in texts]

    async def score(texts: Sequence[str]) -> list[float]:
        assert texts == ["@."]
        return [0.5]

    tree = asyncio.run(weave("@", expand, score, Weave(budget=200, width=4), Random(0)))
    assert (len(tree.nodes), tree.spent, tree.texts) == (2, 12, ["."])


def test_a_text_with_no_continuation_is_a_leaf_that_is_not_asked_about_again() -> None:
    asked: list[str] = []

    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        asked.extend(texts)
        return [[] if text else [Piece("a", False, 1), Piece("", False, 1)] for text in texts]

    async def score(texts: Sequence[str]) -> list[float]:
        return [0.5 for _ in texts]

    tree = asyncio.run(weave("", expand, score, Weave(budget=100), Random(0)))
    assert asked == ["", "a"]
    assert tree.texts == ["a"]


def test_what_ended_stands_before_what_did_not_whatever_its_score() -> None:
    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[Piece(".", True, 1), Piece("x", False, 1)] for _ in texts]

    async def score(texts: Sequence[str]) -> list[float]:
        return [float("." not in text) for text in texts]

    tree = asyncio.run(weave("", expand, score, Weave(10, lookahead=1, rounds=3, temperature=0), Random(0)))
    assert tree.texts == ["."] or tree.texts[0].endswith(".")


def test_the_json_of_a_tree_is_what_was_written_and_little_more() -> None:
    tree = searched(Scripted(), Weave(budget=600, lookahead=8, wanted=2, commit=3))
    found: dict[str, Any] = orjson.loads(orjson.dumps(tree.as_json()))
    assert found == tree.as_json()
    assert (found["budget"], found["spent"], found["rounds"]) == (600, tree.spent, tree.rounds)
    assert (found["chosen"], found["committed"]) == (list(tree.chosen), tree.committed)
    for node, kept in zip(tree.nodes, found["nodes"], strict=True):
        assert (kept["parent"], kept["text"], kept["tokens"]) == (node.parent, node.text, node.tokens)
        assert (kept.get("end", False), kept.get("expanded")) == (node.end, node.expanded)
        assert kept.get("score") == (None if node.score is None else round(node.score, 4))
        assert kept.get("perturbed") == (None if node.perturbed is None else round(node.perturbed, 4))
    written = sum(len(node.text) for node in tree.nodes)
    assert len(orjson.dumps(found)) < written + 110 * len(tree.nodes) + 200


# What it is worth


WORDS = 12


def _good_share(text: str) -> float:
    return text.count("g") / WORDS


@dataclass
class Storyteller:
    """Writes twelve words of one token, each good with probability 0.4, and is paid by the word."""

    rng: Random
    paid: int = 0

    async def expand(self, texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[self._word(text) for _ in range(count)] for text in texts]

    def _word(self, text: str) -> Piece:
        self.paid += 1
        return Piece("g" if self.rng.random() < 0.4 else "b", len(text) + 1 == WORDS, 1)

    async def whole(self) -> str:
        text = ""
        while len(text) < WORDS:
            [[piece]] = await self.expand([text], 1)
            text += piece.text
        return text


TOKENS = 96
WOVEN = Weave(TOKENS, lookahead=1, width=4, beam=1, rounds=100, temperature=0.02)
Judge = Callable[[str], float]


async def best_by_weaving(seed: int, judge: Judge, settings: Weave = WOVEN) -> str:
    async def score(texts: Sequence[str]) -> list[float]:
        return [judge(text) for text in texts]

    teller = Storyteller(Random(seed))
    tree = await weave("", teller.expand, score, settings, Random(seed))
    assert teller.paid == tree.spent <= TOKENS
    assert tree.nodes[tree.chosen[0]].end
    return tree.texts[0]


async def best_of_n(seed: int, judge: Judge) -> str:
    teller = Storyteller(Random(seed))
    texts = [await teller.whole() for _ in range(TOKENS // WORDS)]
    assert teller.paid == TOKENS
    return max(texts, key=judge)


def mean_goodness(search: Callable[..., Awaitable[str]], *options: Any) -> float:
    """Of what is found with each of 200 seeds."""

    async def found() -> list[str]:
        return [await search(seed, *options) for seed in range(200)]

    texts = asyncio.run(found())
    return sum(map(_good_share, texts)) / len(texts)


def test_it_beats_best_of_n_for_the_same_tokens_where_beginnings_tell() -> None:
    assert mean_goodness(best_of_n, _good_share) < 0.65
    assert mean_goodness(best_by_weaving, _good_share) > 0.8


def _at_its_end(text: str) -> float:
    return _good_share(text) if len(text) == WORDS else 0.0


def test_it_gains_nothing_where_a_text_can_only_be_judged_at_its_end() -> None:
    greedy = replace(WOVEN, temperature=0.0)
    assert mean_goodness(best_by_weaving, _at_its_end, greedy) < mean_goodness(best_of_n, _at_its_end)


def test_committing_makes_a_search_get_to_an_end_that_would_not() -> None:
    """A hundred searches with a judge that is hardly heard: as many ends as there are searches, or next to none."""

    async def ended(commit: int) -> int:
        async def score(texts: Sequence[str]) -> list[float]:
            return [_at_its_end(text) for text in texts]

        settings = replace(WOVEN, temperature=10.0, commit=commit)
        trees = [await weave("", Storyteller(Random(s)).expand, score, settings, Random(s)) for s in range(100)]
        return sum(tree.nodes[tree.chosen[0]].end for tree in trees)

    assert asyncio.run(ended(2)) == 100
    assert asyncio.run(ended(0)) < 10


# What is refused


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"budget": 31}, "A budget of 31 tokens does not pay for one continuation of 32"),
        ({"budget": 0}, "budget is a whole number of 1 or more, not 0"),
        ({"lookahead": 0}, "lookahead is a whole number of 1 or more"),
        ({"width": 1.5}, r"width is a whole number of 1 or more, not 1\.5"),
        ({"beam": 0}, "beam is"),
        ({"rounds": -1}, "rounds is"),
        ({"wanted": 0}, "wanted is"),
        ({"commit": -1}, "commit is a whole number of 0 or more, not -1"),
        ({"temperature": -0.1}, r"temperature is a number of 0 or more, not -0\.1"),
        ({"temperature": math.nan}, "temperature is .*, not nan"),
        ({"temperature": math.inf}, "temperature is .*, not inf"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Weave(**{"budget": 1000, **wrong})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([], "`expand` must give one list of continuations for each text, and gave 0 for 1"),
        ([[Piece("a", False, 1)] * 5], "asked `expand` for 4 continuations of a text, and got 5"),
        ([[Piece("a", False, 33)]], "said to have 33 tokens, where Weave's lookahead allows 32"),
        ([[Piece("a", False, -1)]], "said to have -1 tokens"),
    ],
)
def test_a_writer_that_gives_what_it_was_not_asked_for_is_refused(answer: list[list[Piece]], said: str) -> None:
    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return answer

    async def score(texts: Sequence[str]) -> list[float]:
        return [0.5 for _ in texts]

    with pytest.raises(UserError, match=said):
        asyncio.run(weave("", expand, score, Weave(budget=1000), Random(0)))


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([0.5], "`score` must give one score for each text, and gave 1 for 2"),
        ([0.5, math.nan], "must give a finite number for each text, and gave nan for one that ends in 'b'"),
        ([math.inf, 0.5], "gave inf for one that ends in 'a'"),
    ],
)
def test_a_judge_that_gives_no_number_is_refused(scores: list[float], said: str) -> None:
    async def expand(texts: Sequence[str], count: int) -> list[list[Piece]]:
        return [[Piece("a", True, 1), Piece("b", True, 1)] for _ in texts]

    async def score(texts: Sequence[str]) -> list[float]:
        return scores

    with pytest.raises(UserError, match=said):
        asyncio.run(weave("", expand, score, Weave(budget=1000), Random(0)))
