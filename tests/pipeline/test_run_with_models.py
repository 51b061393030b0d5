"""A run that asks models: what a row was asked, what may not show in a sample, and what a budget leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.endpoints import Fake, Reply, asking, settled
from tests.pipeline.small import source

from retroweave.pipeline.asking import Desk
from retroweave.pipeline.budget import Budget
from retroweave.pipeline.errors import Drop, RunStopped
from retroweave.pipeline.flow import Bench, work
from retroweave.pipeline.gate import Verdict
from retroweave.pipeline.journal import Journal
from retroweave.pipeline.layout import Layout, assistant, layout, user
from retroweave.pipeline.model import Model, Request, Unusable
from retroweave.pipeline.pipeline import Node, Pipeline, also, family, over
from retroweave.pipeline.row import Drawn, Leaf
from retroweave.pipeline.run import Tally, draws
from retroweave.pipeline.run import run as run_rows
from retroweave.pipeline.runner import InProcess
from retroweave.pipeline.step import Step, compute, judge, prompt
from retroweave.pipeline.verdict import Score
from retroweave.text.generation import generate
from retroweave.text.prompts import read_prompt

LINE = "You write one question for each passage that you are shown."
PLAIN = "Please ask me one question about the following passage, and only one."
EXAMPLE = "The ferry did not sail, for the river was in flood until evening."


async def ask(passage: str, model: Model) -> str:
    answer = await model.chat([{"role": "user", "content": f"Ask about {passage}"}], max_tokens=20)
    return answer.text


async def doubt(passage: str, model: Model) -> str:
    answer = await model.chat([{"role": "user", "content": f"Doubt {passage}"}], max_tokens=20)
    return answer.text


async def fits(question: str, model: Model) -> Score:
    answer = await model.chat([{"role": "user", "content": f"Does it fit? {question}"}], temperature=0.0, max_tokens=1)
    sure = float(answer.text)
    return Score(sure, sure > 0.5, {"said": answer.text}, "the question does not fit")


ASK = prompt(ask, writes="question")
FITS = judge(fits, raises="question", score="fit")
SHOWN = layout(user("Answer: {passage}"), assistant("{question}"))


def said(request: Request) -> str:
    """What stands in a request, without the words around it."""
    return request.messages[-1]["content"]


def pipeline(*steps: Node, rows: Sequence[str] = ("a",), **rest: Any) -> Pipeline:
    return Pipeline(source(*({"passage": row} for row in rows), again=False), *steps, models={"model": "x"}, **rest)


def leaves(pipeline: Pipeline, reply: Callable[[Request], Reply], path: Path, **bench: Any) -> list[Leaf]:
    async def worked() -> list[Leaf]:
        async with asking(Fake(reply), path / "calls.sqlite") as asked:
            made = Bench(pipeline, "small", 0, together=True, desk=Desk({"model": asked.client}, asked.ledger), **bench)
            return [leaf for drawn in draws(pipeline) for leaf in await work(drawn, made)]

    return asyncio.run(worked())


def written(folder: Path, text: str, examples: str = "") -> Any:
    (folder / "question.prompt").write_text(text, "utf-8")
    (folder / "question.examples.yaml").write_text(examples, "utf-8")
    return generate(read_prompt(folder / "question.prompt"))


class TestWhatIsKept:
    def test_a_sample_tells_what_was_asked_answered_and_judged(self, tmp_path: Path) -> None:
        (leaf,) = leaves(
            pipeline(ASK, FITS, SHOWN, measures=["fit"]),
            lambda request: "Why?" if "Ask" in said(request) else "0.75",
            tmp_path,
        )
        provenance = leaf.sample["provenance"]
        assert [(call["step"], call["model"], call["answer"]) for call in provenance["calls"]] == [
            ("ask", "model", "Why?"),
            ("fits", "model", "0.75"),
        ]
        assert provenance["verdicts"] == [{"step": "fits", "score": 0.75, "passed": True, "parts": {"said": "0.75"}}]
        assert provenance["measures"] == {"fit": 0.75}

    def test_a_reject_tells_it_too_and_gives_the_judges_reason(self, tmp_path: Path) -> None:
        (leaf,) = leaves(
            pipeline(ASK, FITS, SHOWN), lambda request: "Why?" if "Ask" in said(request) else "0.25", tmp_path
        )
        assert (leaf.kind, leaf.step, leaf.reason) == ("reject", "fits", "the question does not fit")
        assert len(leaf.sample["calls"]) == 2
        assert leaf.sample["verdicts"][0]["passed"] is False

    def test_a_failure_tells_what_was_asked_until_then(self, tmp_path: Path) -> None:
        (leaf,) = leaves(
            pipeline(ASK, FITS, SHOWN), lambda request: "Why?" if "Ask" in said(request) else "certainly", tmp_path
        )
        assert (leaf.kind, leaf.step) == ("failure", "fits")
        assert [call["answer"] for call in leaf.sample["calls"]] == ["Why?", "certainly"]

    @pytest.mark.parametrize(("answer", "score"), [(True, 1.0), (False, 0.0)])
    def test_a_judge_that_says_no_more_than_yes_or_no_has_a_score_of_one_or_nothing(
        self, tmp_path: Path, answer: bool, score: float
    ) -> None:
        def likes(passage: str) -> bool:
            return answer

        step = judge(likes, score="liked")
        (leaf,) = leaves(
            pipeline(step, layout(user("{passage}"), assistant("{passage}"))), lambda request: "", tmp_path
        )
        assert leaf.row is not None
        assert leaf.row.fields["liked"] == score
        assert leaf.row.verdicts == ()
        assert leaf.reason == ("" if answer else "likes says no")

    def test_siblings_share_what_was_asked_before_they_parted_and_nothing_more(self, tmp_path: Path) -> None:
        two = also(
            one=(prompt(doubt, writes="other"), SHOWN),
            two=(layout(user("{passage}"), assistant("{question}"), name="two"),),
        )
        found = leaves(pipeline(ASK, two), said, tmp_path)
        steps = [[call["step"] for call in leaf.sample["provenance"]["calls"]] for leaf in found]
        assert steps == [["ask", "doubt"], ["ask"]]


class TestFamilies:
    def folded(self, tmp_path: Path, **options: Any) -> Leaf:
        count = 0

        def reply(request: Request) -> Reply:
            nonlocal count
            if "Ask" in said(request):
                count += 1
                return f"Why {count}?"
            return "0.75" if "2" in said(request) or "3" in said(request) else "0.25"

        steps = (family(ASK, FITS, into="questions", **options), over("questions"), SHOWN)
        *rest, last = leaves(pipeline(*steps), reply, tmp_path)
        self.rest = rest
        return last

    def test_what_was_asked_for_its_members_is_told_of_the_row_that_they_fold_into(self, tmp_path: Path) -> None:
        leaf = self.folded(tmp_path, want=1, tries=5)
        answers = [call["answer"] for call in leaf.sample["provenance"]["calls"]]
        assert answers == ["Why 2?", "0.75"]
        assert [verdict["score"] for verdict in leaf.sample["provenance"]["verdicts"]] == [0.75]
        (rejected,) = self.rest
        assert [call["answer"] for call in rejected.sample["calls"]] == ["Why 1?", "0.25"]

    def test_it_is_told_where_too_few_came_out(self, tmp_path: Path) -> None:
        leaf = self.folded(tmp_path, want=2, tries=2)
        assert (leaf.kind, leaf.reason) == ("reject", "1 of 2 came out of 2 tries")
        assert [call["answer"] for call in leaf.sample["calls"]] == ["Why 2?", "0.75"]

    def test_what_was_hidden_from_its_members_stays_hidden(self, tmp_path: Path) -> None:
        function = written(tmp_path, f"%% user\n{LINE}\n{{{{ passage }}}}")
        steps = (
            family(prompt(function, writes="question"), into="questions", want=1, tries=1),
            over("questions"),
            SHOWN,
        )
        (leaf,) = leaves(pipeline(*steps), lambda request: f"Well: {LINE}", tmp_path)
        assert (leaf.kind, leaf.reason) == ("reject", "the generator's hidden context shows in the sample")


class TestHiddenContext:
    """Rule 6 at run time."""

    REASON = "the generator's hidden context shows in the sample"

    def sample(self, folder: Path, text: str, answer: str, examples: str = "", **step: Any) -> Leaf:
        folder = folder / str(len(list(folder.iterdir())))  # with a journal of calls of its own
        folder.mkdir()
        asked = prompt(written(folder, text, examples), writes="question", **step)
        (leaf,) = leaves(pipeline(asked, SHOWN), lambda request: answer, folder)
        return leaf

    def test_a_long_line_of_the_prompt_does_not_show(self, tmp_path: Path) -> None:
        leaf = self.sample(tmp_path, f"%% user\n{LINE}\n{{{{ passage }}}}", f"Sure! {LINE} Why?")
        assert (leaf.kind, leaf.step, leaf.reason) == ("reject", SHOWN.name, self.REASON)

    def test_what_is_not_copied_is_no_leak(self, tmp_path: Path) -> None:
        assert self.sample(tmp_path, f"%% user\n{LINE}\n{{{{ passage }}}}", "Why?").kind == "sample"

    def test_an_example_that_was_drawn_does_not_show(self, tmp_path: Path) -> None:
        text = "---\nshots: 1\n---\n%% example user\n{{ example.text }}\n%% user\n{{ passage }}"
        assert self.sample(tmp_path, text, f"As in: {EXAMPLE}", f"- text: {EXAMPLE}").reason == self.REASON
        assert self.sample(tmp_path, text, "Why?", f"- text: {EXAMPLE}").kind == "sample"

    def test_the_plain_prompt_is_trained_in_its_place_and_may_show(self, tmp_path: Path) -> None:
        text = f"%% user\n{PLAIN}\n{LINE}\n{{{{ passage }}}}\n%% plain\n{PLAIN}\n{{{{ passage }}}}"
        asked = prompt(written(tmp_path, text), writes="question", plain="instruction")
        shown = layout(user("{instruction}"), assistant("{question}"))
        (leaf,) = leaves(pipeline(asked, shown), lambda request: "Why?", tmp_path)
        assert leaf.sample["messages"][0]["content"] == f"{PLAIN}\na"
        (call,) = leaf.sample["provenance"]["calls"]
        assert LINE in call["prompt"][0]["content"]
        assert call["plain"] == f"{PLAIN}\na"

    def test_a_hidden_field_that_the_model_copies_does_not_show(self, tmp_path: Path) -> None:
        def secret(passage: str) -> str:
            return f"A key of forty characters and more for the passage {passage}."

        async def with_secret(passage: str, key: str, model: Model) -> str:
            return (await model.chat([{"role": "user", "content": f"{key} {passage}"}])).text

        steps = (compute(secret, writes="key"), prompt(with_secret, writes="question", hidden="key"), SHOWN)
        (copied,) = leaves(pipeline(*steps), lambda request: f"It says: {said(request)}", tmp_path)
        assert (copied.kind, copied.reason) == ("reject", self.REASON)
        (leaf,) = leaves(pipeline(*steps, rows=["b"]), lambda request: "Why?", tmp_path)
        assert leaf.kind == "sample"


class TestPlainly:
    def test_a_bench_that_compares_asks_with_the_plain_prompt_where_there_is_one(self, tmp_path: Path) -> None:
        text = "%% user\nThe clever prompt: {{ passage }}\n%% plain\nThe plain prompt: {{ passage }}"
        asked = prompt(written(tmp_path, text), writes="question", plain="instruction")
        steps = (asked, prompt(doubt, writes="other"), layout(user("{instruction}"), assistant("{question} {other}")))
        (clever,) = leaves(pipeline(*steps), said, tmp_path)
        (plain,) = leaves(pipeline(*steps), said, tmp_path, plainly=True)
        assert clever.sample["messages"][1]["content"] == "The clever prompt: a Doubt a"
        assert plain.sample["messages"][1]["content"] == "The plain prompt: a Doubt a"
        assert clever.sample["messages"][0] == plain.sample["messages"][0]


class Run:
    """Runs of one pipeline, with a journal and calls that last."""

    def __init__(self, folder: Path, pipeline: Pipeline, endpoint: Fake) -> None:
        self.folder, self.pipeline, self.endpoint = folder, pipeline, endpoint
        self.taken: list[tuple[Verdict, tuple[int, ...]]] = []

    def take(self, verdict: Verdict, reason: str, leaf: Leaf, drawn: Drawn) -> None:
        self.taken.append((verdict, leaf.path))

    def __call__(self, rows: int, budget: Budget | None = None) -> Tally:
        self.taken = []

        async def whole() -> Tally:
            async with asking(self.endpoint, self.folder / "calls.sqlite", budget) as asked:
                bench = Bench(self.pipeline, "small", 0, together=True, desk=Desk({"model": asked.client}))
                journal = Journal(self.folder / "outcomes.sqlite")
                try:
                    return await run_rows(bench, rows, journal, InProcess(bench), self.take)
                finally:
                    journal.close()

        return asyncio.run(whole())


def test_a_model_that_takes_more_requests_at_once_is_given_more_rows(tmp_path: Path) -> None:
    async def rows_at(most: int) -> int:
        endpoint = Fake(said, in_flight=most, gate=asyncio.Event())
        async with asking(endpoint, tmp_path / f"{most}.sqlite") as asked:
            small = pipeline(ASK, SHOWN, rows=tuple(str(number) for number in range(2000)))
            bench = Bench(small, "small", 0, together=True, desk=Desk({"model": asked.client}))
            with closing(Journal(tmp_path / f"outcomes-{most}.sqlite")) as journal:
                run = asyncio.create_task(run_rows(bench, 2000, journal, InProcess(bench), lambda *leaf: None))
                await settled()
                rows = asked.client.pace.under_way + asked.client.pace.waiting
                run.cancel()
                await asyncio.wait([run])
        return rows

    assert asyncio.run(rows_at(16)) == 256
    assert asyncio.run(rows_at(600)) == 1200


class TestOutOfBudget:
    ROWS = tuple("abcdefghij")

    def two_calls(self, tmp_path: Path) -> Run:
        """Rows of two calls each, of which the second of row `a` is long: it is the first that a budget refuses."""

        async def again(passage: str, question: str, model: Model) -> str:
            tokens = 500 if passage == "a" else 10
            return (await model.chat([{"role": "user", "content": f"Again {passage}"}], max_tokens=tokens)).text

        steps: tuple[Step | Layout, ...] = (ASK, prompt(again, writes="other"), SHOWN)
        return Run(tmp_path, pipeline(*steps, rows=self.ROWS), Fake(said))

    def test_rows_behind_the_one_that_was_stopped_are_taken(self, tmp_path: Path) -> None:
        run = self.two_calls(tmp_path)
        tally = run(10, Budget(tokens=10 * 2 * 15 + 300))
        assert "tokens are used" in tally.out_of_budget
        assert tally.samples == 9
        assert tally.unfinished_rows == 1
        assert [path for _, path in run.taken] == [(0, n) for n in range(1, 10)]

    def test_the_next_run_with_a_larger_budget_goes_on_and_pays_for_nothing_twice(self, tmp_path: Path) -> None:
        run = self.two_calls(tmp_path)
        run(10, Budget(tokens=10 * 2 * 15 + 300))
        assert len(run.endpoint.sent) == 19
        tally = run(10, Budget(tokens=2000))
        assert (tally.samples, tally.out_of_budget) == (10, "")
        assert len(run.endpoint.sent) == 20
        assert [path for _, path in run.taken] == [(0, n) for n in range(10)]

    def test_the_same_budget_again_gives_what_it_gave(self, tmp_path: Path) -> None:
        run = self.two_calls(tmp_path)
        run(10, Budget(tokens=10 * 2 * 15 + 300))
        before, sent = list(run.taken), len(run.endpoint.sent)
        tally = run(10, Budget(tokens=10 * 2 * 15 + 300))
        assert tally.out_of_budget
        assert run.taken == before
        assert len(run.endpoint.sent) == sent

    def test_no_budget_at_all_makes_nothing_and_says_so(self, tmp_path: Path) -> None:
        run = self.two_calls(tmp_path)
        tally = run(10, Budget(calls=0))
        assert tally.samples == 0
        assert "0 of 0 calls" in tally.out_of_budget
        assert run.endpoint.sent == []

    def test_a_run_that_has_enough_before_its_budget_ends_says_nothing_of_it(self, tmp_path: Path) -> None:
        run = self.two_calls(tmp_path)
        assert run(2, Budget(calls=20)).out_of_budget == ""


def test_a_model_that_cannot_be_used_any_more_stops_the_run_and_keeps_what_was_finished(tmp_path: Path) -> None:
    def reply(request: Request) -> Reply:
        return Unusable("The key was taken back.") if "Ask about h" in said(request) else "Why?"

    run = Run(tmp_path, pipeline(ASK, SHOWN, rows=TestOutOfBudget.ROWS), Fake(reply, in_flight=1))
    with pytest.raises(RunStopped, match="The key was taken back"):
        run(10)
    run.endpoint.reply = lambda request: "Why not?"
    assert run(10).samples == 10
    asked = [said(request) for request in run.endpoint.sent]
    assert all(asked.count(f"Ask about {row}") == 1 for row in "abcdefg")


def test_a_drop_within_a_step_leaves_what_was_asked_on_the_row(tmp_path: Path) -> None:
    async def drops(passage: str, model: Model) -> str:
        await ask(passage, model)
        raise Drop("not worth it")

    (leaf,) = leaves(pipeline(prompt(drops, writes="question"), SHOWN), lambda request: "Why?", tmp_path)
    assert (leaf.reason, len(leaf.sample["calls"])) == ("not worth it", 1)
