"""The engine's loop: what one source row becomes depends on the row, the seed and the steps, and on nothing else."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline.small import leaves, source

from retroweave.pipeline.errors import Drop, RunStopped
from retroweave.pipeline.flow import Bench, advance, drive, work
from retroweave.pipeline.layout import Layout, assistant, layout, user
from retroweave.pipeline.pipeline import Node, Pipeline, also, family, mix, over
from retroweave.pipeline.row import Drawn, Leaf, digest, numbers, side_of
from retroweave.pipeline.step import Resource, Side, Step, compute, corrupt, judge, prompt, verify
from retroweave.pipeline.verdict import Score


def laid(field: str = "passage", name: str = "layout") -> Layout:
    """A layout that trains one field; these tests run pipelines that nobody checked."""
    return layout(user("Say it."), assistant(f"{{{field}}}"), name=name)


def run(*steps: Node, rows: Sequence[str] = ("a",), seed: int = 0, draw: int = 0, **rest: Any) -> list[Leaf]:
    pipeline = Pipeline(source(*({"passage": row} for row in rows)), *steps, **rest)
    return leaves(pipeline, seed=seed, draw=draw)


def texts(found: Sequence[Leaf]) -> list[str]:
    return [leaf.sample["messages"][-1]["content"] for leaf in found if leaf.kind == "sample"]


def said(found: Sequence[Leaf]) -> list[tuple[str, str, str]]:
    return [(leaf.kind, leaf.step, leaf.reason) for leaf in found]


def double(passage: str) -> str:
    return passage * 2


def letters(passage: str) -> list[str]:
    return list(passage)


def dice(rng: random.Random) -> str:
    return str(rng.randrange(10**9))


def throw(name: str, writes: str = "number") -> Step:
    return compute(dice, writes=writes, name=name)


class TestWhatBecomesOfARow:
    def test_a_row_that_comes_through_is_a_sample(self) -> None:
        (leaf,) = run(compute(double, writes="twice"), laid("twice"))
        assert (leaf.kind, leaf.step, leaf.path) == ("sample", "layout", (0, 0))
        assert [message["content"] for message in leaf.sample["messages"]] == ["Say it.", "aa"]

    def test_a_dropped_row_is_a_reject_with_its_step_and_reason(self) -> None:
        def picky(passage: str) -> str:
            raise Drop(f"{passage} is too short")

        (leaf,) = run(compute(picky, writes="more"), laid("more"))
        assert said([leaf]) == [("reject", "picky", "a is too short")]
        assert leaf.place == "row 0"
        assert leaf.trace == ""

    def test_what_a_step_notes_of_a_row_that_it_drops_is_kept_with_it(self) -> None:
        def picky(passage: str) -> str:
            drop = Drop("too short")
            drop.add_note(f"it is {passage!r}")
            drop.add_note("and no more")
            raise drop

        (leaf,) = run(compute(picky, writes="more"), laid("more"))
        assert said([leaf]) == [("reject", "picky", "too short")]
        assert leaf.trace == "it is 'a'\n\nand no more"

    def test_a_step_that_raises_is_a_failure_with_its_trace(self) -> None:
        def broken(passage: str) -> str:
            return str(1 // 0)

        failed, sample = run(compute(broken, writes="more"), laid("more")) + run(laid())
        assert said([failed]) == [("failure", "broken", "ZeroDivisionError: integer division or modulo by zero")]
        assert "in broken" in failed.trace
        assert "1 // 0" in failed.trace
        assert sample.kind == "sample"

    def test_a_leaf_shows_the_row_as_it_was_left(self) -> None:
        def never(twice: str) -> bool:
            return False

        (leaf,) = run(compute(double, writes="twice"), verify(never), laid())
        assert leaf.row is not None
        assert leaf.row.fields == {"passage": "a", "twice": "aa"}
        assert leaf.row.trail == ("double", "never")

    @pytest.mark.parametrize("wrap", [verify, judge])
    def test_what_a_check_does_not_accept_is_a_reject(self, wrap: Callable[..., Step]) -> None:
        def is_a(passage: str) -> bool:
            return passage == "a"

        found = run(wrap(is_a), laid(), rows=["a", "b", "a"])
        assert [(leaf.kind, leaf.path) for leaf in found] == [
            ("sample", (0, 0)),
            ("reject", (0, 1)),
            ("sample", (0, 2)),
        ]
        assert said(found)[1] == ("reject", "is_a", "is_a says no")

    @pytest.mark.parametrize("wrap", [verify, judge])
    def test_a_check_that_only_says_no_is_told_by_what_its_docstring_says(self, wrap: Callable[..., Step]) -> None:
        def is_a(passage: str, wanted: str) -> bool:
            """The passage is the letter
            that is wanted.

            This goes on for a while.
            """
            return passage == wanted

        (leaf,) = run(wrap(partial(is_a, wanted="a"), name="no other letter"), laid(), rows=["b"])
        reason = "not so: The passage is the letter that is wanted"
        assert said([leaf]) == [("reject", "no other letter", reason)]

    def test_a_check_that_has_no_name_says_no_by_its_steps(self) -> None:
        (leaf,) = run(verify(lambda passage: False, name="never"), laid())
        assert leaf.reason == "never says no"

    def test_an_object_that_says_no_is_told_by_the_docstring_of_its_call(self) -> None:
        class Short:
            """How long passages may be."""

            def __call__(self, passage: str) -> bool:
                """It is short."""
                return False

        (leaf,) = run(verify(Short()), laid())
        assert leaf.reason == "not so: It is short"

    def test_a_docstring_that_says_much_makes_a_short_reason(self) -> None:
        def never(passage: str) -> bool:
            return False

        never.__doc__ = "It is so, " * 40
        (leaf,) = run(verify(never), laid())
        assert leaf.reason.endswith("It is so, …")
        assert len(leaf.reason) < 150

    def test_a_score_that_gives_no_reason_is_told_by_its_judge(self) -> None:
        def fits(passage: str) -> Score:
            """It fits."""
            return Score(0.2, False)

        def says(passage: str) -> Score:
            """It fits."""
            return Score(0.2, False, reason="too long")

        found = run(judge(fits), laid()) + run(judge(says), laid())
        assert [leaf.reason for leaf in found] == ["not so: It fits", "too long"]

    def test_what_the_source_throws_away_is_a_reject_of_the_source(self) -> None:
        drawn = Drawn(0, 0, "key", "page 3", "CC0-1.0", "train", {}, reject="not text")
        (leaf,) = asyncio.run(work(drawn, Bench(Pipeline(source(), laid()), "small", 0)))
        assert said([leaf]) == [("reject", "given", "not text")]
        assert leaf.place == "page 3"

    def test_a_row_fails_by_itself(self) -> None:
        def no_b(passage: str) -> str:
            return {"a": "A", "c": "C"}[passage]

        found = run(compute(no_b, writes="upper"), laid("upper"), rows="abc")
        assert [leaf.kind for leaf in found] == ["sample", "failure", "sample"]

    def test_a_step_that_writes_too_little_is_a_failure(self) -> None:
        (leaf,) = run(compute(letters, writes=("one", "two")), laid())
        assert leaf.kind == "failure"
        assert leaf.step == "letters"

    def test_what_stops_a_run_is_no_failure_of_the_row(self) -> None:
        def broke(passage: str) -> str:
            raise RunStopped("the budget is spent")

        with pytest.raises(RunStopped, match="the budget is spent"):
            run(compute(broke, writes="more"), laid())
        with pytest.raises(RunStopped, match="the budget is spent"):
            run(family(compute(broke, writes="more")), laid())

    def test_steps_that_wait_are_waited_for(self) -> None:
        async def later(passage: str) -> str:
            await asyncio.sleep(0)
            return passage + "!"

        assert texts(run(prompt(later, writes="answer"), laid("answer"))) == ["a!"]

    def test_a_function_that_waits_unsaid_is_a_failure_that_says_so(self) -> None:
        async def later(passage: str) -> str:
            return passage

        (leaf,) = run(compute(lambda passage: later(passage), writes="answer", name="sly"), laid("answer"))
        assert leaf.kind == "failure"
        assert "async def" in leaf.reason

    def test_what_is_no_node_is_told_apart(self) -> None:
        with pytest.raises(TypeError, match="not 3"):
            drive(advance(3, None, None))  # type: ignore[arg-type]


class TestProvenance:
    def test_a_sample_says_where_it_comes_from_and_what_was_done(self) -> None:
        twice = compute(double, writes="twice")
        (leaf,) = run(twice, laid("twice"), keep=["passage"], measures=["twice"], seed=5)
        assert leaf.sample["recipe"] == "small"
        assert leaf.sample["layout"] == "layout"
        assert leaf.sample["license"] == "CC0-1.0"
        assert leaf.sample["provenance"] == {
            "source": {"key": "0", "place": "row 0", "draw": 0, "index": 0},
            "seed": 5,
            "steps": ["double", "layout"],
            "spans": {"twice": (1, 0, 2)},
            "kept": {"passage": "a"},
            "measures": {"twice": "aa"},
        }

    def test_the_trail_goes_through_arms_and_families(self) -> None:
        steps = (
            family(compute(letters, writes="letter", many=True), into="spelt"),
            over("spelt"),
            mix(one=(1, compute(double, writes="twice"))),
            laid("letter"),
        )
        (leaf,) = run(*steps)
        assert leaf.sample["provenance"]["steps"] == ["letters", "double", "layout"]


class TestHandedIn:
    def test_resources_and_the_side_are_handed_in(self) -> None:
        def lend(pool: Resource[dict[str, str]], side: Side) -> str:
            return pool[side]

        found = run(
            compute(lend, writes="lent"),
            laid("lent"),
            rows=[str(n) for n in range(40)],
            resources={"pool": {"train": "T", "validation": "V"}},
            validation=0.5,
        )
        assert texts(found) == ["V" if side_of(str(n), 0.5) == "validation" else "T" for n in range(40)]
        assert set(texts(found)) == {"T", "V"}

    def test_random_numbers_hang_on_seed_recipe_step_and_row(self) -> None:
        (leaf,) = run(throw("dice"), laid("number"), seed=7)
        assert leaf.row is not None
        assert texts([leaf]) == [str(numbers(digest(7, "small"), "dice", leaf.row.id).randrange(10**9))]

    def test_an_unrelated_step_changes_no_random_number(self) -> None:
        rows = [str(n) for n in range(20)]
        plain = run(throw("dice"), laid("number"), rows=rows)
        others: list[list[Node]] = [
            [throw("other", "more"), throw("dice")],
            [corrupt(double, into="worse"), throw("dice"), compute(double, writes="twice")],
            [family(throw("other", "more"), into="numbers", tries=3, want=2), throw("dice")],
            [mix("way", one=(1, throw("dice")), two=(0, throw("dice")))],
        ]
        for steps in others:
            assert texts(run(*steps, laid("number"), rows=rows)) == texts(plain)

    def test_another_seed_draw_step_or_row_gives_other_numbers(self) -> None:
        rows = [str(n) for n in range(10)]
        found = [
            run(throw("dice"), laid("number"), rows=rows),
            run(throw("dice"), laid("number"), rows=rows, seed=1),
            run(throw("dice"), laid("number"), rows=rows, draw=1),
            run(throw("spice"), laid("number"), rows=rows),
        ]
        thrown = [text for one in found for text in texts(one)]
        assert len(set(thrown)) == len(thrown) == 40

    def test_the_same_run_gives_the_same_leaves(self) -> None:
        steps = (compute(letters, writes="letter", many=True), throw("dice"), mix(a=(1,), b=(1,)), laid("number"))
        one, two = (run(*steps, rows=["abc", "de"], seed=3) for _ in range(2))
        assert one == two


class TestSeveralRowsOfOne:
    def test_many_results_are_rows_of_their_own(self) -> None:
        found = run(compute(letters, writes="letter", many=True), laid("letter"), rows=["abc", "de"])
        assert texts(found) == ["a", "b", "c", "d", "e"]
        assert [leaf.path for leaf in found] == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 1)]

    def test_many_results_of_several_fields_fill_each(self) -> None:
        def numbered(passage: str) -> Iterator[tuple[int, str]]:
            yield from enumerate(passage)

        steps = (compute(numbered, writes=("at", "letter"), many=True), laid("letter"))
        assert [leaf.row.fields["at"] for leaf in run(*steps, rows=["ab"]) if leaf.row] == [0, 1]

    def test_no_result_is_a_reject_and_not_nothing(self) -> None:
        found = run(compute(letters, writes="letter", many=True), laid("letter"), rows=["", "a"])
        assert said(found)[0] == ("reject", "letters", "gave no rows")
        assert texts(found) == ["a"]

    def test_a_sibling_that_fails_leaves_the_others(self) -> None:
        def no_b(letter: str) -> bool:
            if letter == "c":
                raise ValueError("c")
            return letter != "b"

        found = run(compute(letters, writes="letter", many=True), verify(no_b), laid("letter"), rows=["abcd"])
        assert [leaf.kind for leaf in found] == ["sample", "reject", "failure", "sample"]

    def test_siblings_do_not_see_each_others_fields(self) -> None:
        found = run(compute(letters, writes="letter", many=True), throw("dice"), laid("number"), rows=["abcd"])
        assert len(set(texts(found))) == 4

    def test_every_row_has_an_id_of_its_own(self) -> None:
        steps = (
            compute(letters, writes="letter", many=True),
            family(throw("dice"), tries=2, want=2),
            also(one=(laid("number", "one"),), two=(laid("letter", "two"),)),
        )
        found = [leaf for draw in (0, 1) for leaf in run(*steps, rows=["abc", "abc"], draw=draw)]
        assert len(found) == 2 * 2 * 3 * 2 * 2
        assert len({leaf.sample["id"] for leaf in found}) == len(found)
        assert len({leaf.path for leaf in found}) == len(found)
        assert len({leaf.row.id for leaf in found if leaf.row}) == len(found)

    def test_rows_that_share_a_key_have_samples_of_their_own(self) -> None:
        rows = [Drawn(0, index, "twin", "", "CC0-1.0", "train", {"passage": "a"}) for index in range(2)]
        bench = Bench(Pipeline(source(), laid()), "small", 0)
        one, two = (leaf for row in rows for leaf in asyncio.run(work(row, bench)))
        assert one.sample["id"] != two.sample["id"]


class TestMixAndAlso:
    def test_a_mix_goes_one_way_by_weight(self) -> None:
        ways = mix(often=(3, laid("passage", "often")), rarely=(1, laid("passage", "rarely")), never=(0, laid()))
        found = Counter(leaf.step for leaf in run(ways, rows=[str(n) for n in range(2000)]))
        assert found.keys() == {"often", "rarely"}
        assert 1400 < found["often"] < 1600

    def test_mixes_in_a_row_choose_apart(self) -> None:
        one = mix(
            "one",
            a=(1, compute(lambda: "a", writes="first", name="a")),
            b=(1, compute(lambda: "b", writes="first", name="b")),
        )
        two = mix("two", c=(1, laid("first", "c")), d=(1, laid("first", "d")))
        found = run(one, two, rows=[str(n) for n in range(100)])
        assert {text + leaf.step for text, leaf in zip(texts(found), found, strict=True)} == {"ac", "ad", "bc", "bd"}

    def test_an_arm_without_a_layout_goes_on_behind_the_mix(self) -> None:
        ways = mix(twice=(1, compute(double, writes="text")), once=(0, laid()))
        assert texts(run(ways, laid("text", "end"))) == ["aa"]

    def test_also_goes_every_way(self) -> None:
        found = run(also(one=(laid("passage", "one"),), two=(compute(double, writes="twice"), laid("twice", "two"))))
        assert texts(found) == ["a", "aa"]
        assert [leaf.step for leaf in found] == ["one", "two"]

    def test_the_arms_of_also_are_rows_of_their_own(self) -> None:
        """With one id they would get the same random numbers and, of a model, the same answers."""
        arms = {name: (throw("dice"), laid("number", name)) for name in ("one", "two")}
        one, two = texts(run(also(**arms)))
        assert one != two

    def test_a_reject_in_one_arm_leaves_the_other(self) -> None:
        never = verify(lambda passage: False, name="never")
        found = run(also(one=(never, laid("passage", "one")), two=(laid("passage", "two"),)))
        assert said(found) == [("reject", "never", "never says no"), ("sample", "two", "")]


class TestFamilies:
    def test_the_survivors_are_folded_into_a_table_of_their_own_fields(self) -> None:
        vowel = verify(lambda letter: letter in "aeiou", name="vowel")
        spelt = family(
            compute(letters, writes="letter", many=True), vowel, compute(double, writes="text"), into="table"
        )
        found = run(spelt, laid("table"), rows=["audio"])
        assert [leaf.kind for leaf in found] == ["reject", "sample"]
        assert texts(found) == [str([{"letter": letter, "text": "audioaudio"} for letter in "auio"])]

    def test_unfolded_members_are_rows_again(self) -> None:
        spelt = family(compute(letters, writes="letter", many=True), into="table")
        found = run(spelt, compute(double, writes="text"), over("table"), laid("letter"), rows=["ab"])
        assert texts(found) == ["a", "b"]

    def test_without_a_table_the_survivors_go_on_as_rows(self) -> None:
        spelt = family(compute(letters, writes="letter", many=True))
        assert texts(run(spelt, laid("letter"), rows=["abc"])) == ["a", "b", "c"]

    def test_a_family_is_drawn_again_until_it_has_what_it_wants(self) -> None:
        even = verify(lambda number: int(number) % 2 == 0, name="even")
        drawn = family(throw("dice"), even, tries=50, want=3, name="drawn")
        for n in range(20):
            found = run(drawn, laid("number"), rows=[str(n)])
            kinds = [leaf.kind for leaf in found]
            assert kinds.count("sample") == 3
            assert all(int(text) % 2 == 0 for text in texts(found))
            assert len(set(texts(found))) == 3

    def test_it_stops_as_soon_as_it_has_them(self) -> None:
        calls = []

        def attempt(passage: str) -> str:
            calls.append(passage)
            return str(len(calls))

        assert texts(run(family(compute(attempt, writes="n"), tries=9, want=2), laid("n"))) == ["1", "2"]
        assert len(calls) == 2

    def test_no_more_go_on_than_were_wanted(self) -> None:
        spelt = family(compute(letters, writes="letter", many=True), want=2)
        assert texts(run(spelt, laid("letter"), rows=["abcd"])) == ["a", "b"]

    def test_a_family_that_stays_too_small_is_a_reject_beside_what_it_rejected(self) -> None:
        never = verify(lambda passage: False, name="never")
        found = run(family(never, into="table", tries=3, want=2, name="few"), laid("table"))
        assert said(found) == [
            ("reject", "never", "never says no"),
            ("reject", "never", "never says no"),
            ("reject", "never", "never says no"),
            ("reject", "few", "0 of 2 came out of 3 tries"),
        ]

    def test_rows_that_came_go_on_though_more_were_wanted(self) -> None:
        spelt = family(compute(letters, writes="letter", many=True), want=9)
        assert texts(run(spelt, laid("letter"), rows=["ab"])) == ["a", "b"]

    def test_pick_sees_the_siblings_together(self) -> None:
        seen = []

        def longest_two(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
            seen.append([member["word"] for member in members])
            return sorted(members, key=lambda member: -len(member["word"]))[:2]

        words = family(
            compute(lambda passage: passage.split(), writes="word", many=True, name="words"), pick=longest_two
        )
        assert texts(run(words, laid("word"), rows=["a bbb cc"])) == ["bbb", "cc"]
        assert seen[0] == ["a", "bbb", "cc"]

    def test_what_pick_leaves_out_does_not_count_as_wanted(self) -> None:
        def no_twins(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return list({member["face"]: member for member in members}.values())

        faces = family(
            DIE,
            pick=no_twins,
            tries=40,
            want=3,
        )
        for n in range(10):
            assert sorted(texts(run(faces, laid("face"), rows=[str(n)]))) == ["0", "1", "2"]

    def test_a_pick_that_makes_members_up_is_a_failure_that_says_so(self) -> None:
        def copies(members: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [dict(member) for member in members]

        (leaf,) = run(family(compute(double, writes="text"), pick=copies, name="copied"), laid("text"))
        assert (leaf.kind, leaf.step) == ("failure", "copied")
        assert "pick" in leaf.reason
        assert "members" in leaf.reason

    def test_families_in_families_fold_inside_out(self) -> None:
        inner = family(
            compute(letters, writes="letter", many=True, reads={"passage": "word"}), into="spelt", name="inner"
        )
        words = compute(lambda passage: passage.split(), writes="word", many=True, name="words")
        found = run(
            family(words, inner, into="table", name="outer"),
            over("table"),
            over("spelt"),
            laid("letter"),
            rows=["ab c"],
        )
        assert texts(found) == ["a", "b", "c"]


def die(rng: random.Random) -> int:
    return rng.randrange(3)


DIE = compute(die, writes="face")


class TestTogether:
    """Rows that wait side by side come back in the order of their paths, however long each took."""

    def pipeline(self, calls: list[str]) -> Pipeline:
        async def slowly(letter: str, rng: random.Random) -> str:
            calls.append(letter)
            await asyncio.sleep(random.random() / 1000)
            return letter + str(rng.randrange(10))

        async def sometimes(answer: str) -> bool:
            await asyncio.sleep(random.random() / 1000)
            return not answer.endswith("7")

        return Pipeline(
            source({"passage": "abc"}, {"passage": "def"}),
            compute(letters, writes="letter", many=True),
            family(prompt(slowly, writes="answer"), judge(sometimes), tries=3, want=2),
            also(one=(laid("answer", "one"),), two=(laid("letter", "two"),)),
        )

    @given(st.integers(0, 1000))
    @settings(max_examples=10, deadline=None)
    def test_together_and_one_by_one_give_the_same_leaves(self, seed: int) -> None:
        async def worked(together: bool) -> list[Leaf]:
            bench = Bench(self.pipeline([]), "small", seed, together=together)
            rows = [
                Drawn(0, n, str(n), "", "CC0-1.0", "train", {"passage": text}) for n, text in enumerate(["abc", "de"])
            ]
            return [leaf for row in rows for leaf in await work(row, bench)]

        assert asyncio.run(worked(True)) == asyncio.run(worked(False))

    def test_siblings_wait_side_by_side(self) -> None:
        under_way: list[int] = [0, 0]

        async def counted(letter: str) -> str:
            under_way[0] += 1
            under_way[1] = max(under_way)
            await asyncio.sleep(0.001)
            under_way[0] -= 1
            return letter

        steps = (compute(letters, writes="letter", many=True), prompt(counted, writes="answer"), laid("answer"))
        assert texts(run(*steps, rows=["abcdefgh"])) == list("abcdefgh")
        assert under_way[1] == 8


def test_a_pipeline_that_never_waits_needs_no_event_loop() -> None:
    async def one() -> int:
        return 1

    async def two() -> int:
        return await one() + 1

    assert drive(two()) == 2


def test_driving_what_waits_says_that_it_waits() -> None:
    async def waits() -> None:
        await asyncio.sleep(0)

    coroutine: Coroutine[Any, Any, None] = waits()
    with pytest.raises(RuntimeError, match="async def"):
        drive(coroutine)


class TestIds:
    @given(st.lists(st.one_of(st.text(), st.integers(), st.binary()), min_size=1), st.data())
    def test_no_two_lists_of_parts_have_one_digest(self, parts: list[Any], data: st.DataObject) -> None:
        others = data.draw(st.lists(st.one_of(st.text(), st.integers(), st.binary()), min_size=1))
        same = [p if isinstance(p, bytes) else str(p).encode("utf-8", "surrogatepass") for p in parts] == [
            p if isinstance(p, bytes) else str(p).encode("utf-8", "surrogatepass") for p in others
        ]
        assert (digest(*parts) == digest(*others)) == same

    def test_parts_are_framed(self) -> None:
        assert digest("ab", "c") != digest("a", "bc") != digest("abc")

    def test_a_text_that_is_no_unicode_has_an_id(self) -> None:
        assert digest("\ud800") != digest("\ud801")

    def test_a_cluster_falls_on_one_side_and_the_shares_hold(self) -> None:
        sides = Counter(side_of(str(n), 0.1) for n in range(10_000))
        assert 900 < sides["validation"] < 1100
        assert side_of("x", 0.0) == "train"
