"""A yes/no judge asks in the form that the model takes, averages its phrasings, and says how it came by its score."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.judges.models import NONE_TOLD, Scripted, a_prompt, sent

from retroweave.judges.yes_no import YesNo, yes_no
from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Abilities, Answer, Form, Refused
from retroweave.pipeline.step import judge
from retroweave.pipeline.verdict import Score
from retroweave.text.prompts import Prompt, Section, Settings

FEW_SHOT = """---
shots: 4
balance: answer
---
%% document
{% for example in examples %}{{ example.text }}: {{ example.answer }}
{% endfor %}{{ passage }}:"""
EXAMPLES = "".join(f'- {{text: t{n}, answer: "{"yes" if n % 2 else "no"}"}}\n' for n in range(8))


def asked(judge: YesNo, model: Scripted, rng: random.Random | None = None, **fields: Any) -> Score:
    more = {"rng": rng} if rng else {}
    return asyncio.run(judge(model=model, **({"passage": "Water is wet."} | fields), **more))


def phrasing(name: str) -> Prompt:
    """A prompt that no file holds."""
    return Prompt(name, Settings.model_validate({}), (Section("user", f"{name}: {{{{ passage }}}}", "here"),))


# The score


def test_the_score_is_the_probability_of_yes(tmp_path: Path) -> None:
    score = asked(yes_no(a_prompt(tmp_path)), Scripted(lambda sent: 0.8))
    assert score.value == pytest.approx(0.8)
    assert score.passed
    assert score.parts == {"so": pytest.approx(0.8), "method": "logprobs", "mass": {"so": pytest.approx(1)}}


def test_phrasings_are_averaged_and_told_apart() -> None:
    judge = yes_no([phrasing("one"), phrasing("other")], threshold=0.6)
    score = asked(judge, Scripted(lambda sent: 0.9 if "one:" in sent else 0.2))
    assert score.value == pytest.approx(0.55)
    assert (score.parts["one"], score.parts["other"]) == (pytest.approx(0.9), pytest.approx(0.2))
    assert not score
    assert score.reason == "scored below 0.6"


def test_phrasings_are_asked_at_the_same_time() -> None:
    class Waiting(Scripted):
        """Answers when all three have been asked, and never if they come one by one."""

        async def ask(self, *args: Any, **kwargs: Any) -> Answer:
            answer = await super().ask(*args, **kwargs)
            while len(self.asked) < 3:
                await asyncio.sleep(0)
            return answer

    async def in_time() -> Score:
        judge = yes_no([phrasing("a"), phrasing("b"), phrasing("c")])
        return await asyncio.wait_for(judge(passage="x", model=Waiting()), timeout=60)

    assert asyncio.run(in_time()).value == pytest.approx(0.5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(0, 1))
def test_a_score_is_between_0_and_1_and_the_wanted_no_mirrors_it(sure: list[float], threshold: float) -> None:
    prompts = [phrasing(f"p{number}") for number in range(len(sure))]
    model = Scripted(lambda sent: sure[int(sent[1])])
    yes, no = (asked(yes_no(prompts, wanted=wanted, threshold=threshold), model) for wanted in ("yes", "no"))
    assert 0 <= yes.value <= 1
    assert yes.value + no.value == pytest.approx(1)
    assert (yes.passed, no.passed) == (yes.value >= threshold, no.value >= threshold)


def test_a_judge_that_hears_neither_yes_nor_no_has_no_opinion_and_rejects(tmp_path: Path) -> None:
    for wanted in ("yes", "no"):
        judge = yes_no(a_prompt(tmp_path), threshold=0.0, wanted=wanted)
        score = asked(judge, Scripted(lambda sent: Answer("Well", first=(("Well", -0.1), ("It", -3.0)))))
        assert (score.value, score.passed) == (0.5, False)
        assert score.reason == "the judge answered neither yes nor no"
        assert score.parts["so"] is None


def test_a_phrasing_without_an_opinion_is_left_out_of_the_mean() -> None:
    neither = Answer("Well", first=(("Well", -0.1),))
    model = Scripted(lambda sent: neither if "dull:" in sent else 0.9)
    score = asked(yes_no([phrasing("dull"), phrasing("keen")]), model)
    assert score.value == pytest.approx(0.9)
    assert score.parts["dull"] is None
    assert score.parts["mass"] == {"dull": 0, "keen": pytest.approx(1)}


# What is sent


@pytest.mark.parametrize(("form", "kind"), [("chat", "chat"), ("base", "complete")])
def test_one_token_is_asked_for_in_the_form_that_the_model_takes(tmp_path: Path, form: Form, kind: str) -> None:
    model = Scripted(form=form)
    asked(yes_no(a_prompt(tmp_path)), model)
    (request,) = model.asked
    assert (request.kind, request.max_tokens, request.temperature, request.logprobs) == (kind, 1, 0, 20)


@pytest.mark.parametrize(
    ("form", "told"),
    [("chat", Abilities(complete=True, logprobs=5)), ("base", Abilities(complete=True, complete_logprobs=5))],
)
def test_as_many_alternatives_are_asked_for_as_that_form_tells(tmp_path: Path, form: Form, told: Abilities) -> None:
    model = Scripted(abilities=told, form=form)
    assert asked(yes_no(a_prompt(tmp_path)), model).parts["method"] == "logprobs"
    assert model.asked[0].logprobs == 5


def test_more_alternatives_than_20_are_never_asked_for(tmp_path: Path) -> None:
    model = Scripted(abilities=Abilities(logprobs=100))
    asked(yes_no(a_prompt(tmp_path)), model)
    assert model.asked[0].logprobs == 20


@pytest.mark.parametrize(
    "told",
    [NONE_TOLD, Abilities(complete_logprobs=20), Abilities(logprobs=1)],
    ids=["none", "of the other form", "one"],
)
def test_where_no_distribution_is_told_answers_are_sampled_and_the_score_says_so(
    tmp_path: Path, told: Abilities
) -> None:
    answers = iter(["Yes", "Yes.", "no", "Hm", "yes"])
    model = Scripted(lambda sent: next(answers), abilities=told)
    score = asked(yes_no(a_prompt(tmp_path), samples=5), model)
    assert score.value == pytest.approx(4 / 6)
    assert score.parts == {"so": pytest.approx(4 / 6), "method": "sampled 5", "unparsed": {"so": 1}}
    assert {(one.temperature, one.logprobs, one.max_tokens) for one in model.asked} == {(1.0, 0, 4)}


def test_an_answer_that_came_without_the_logprobs_that_were_promised_is_sampled_instead(tmp_path: Path) -> None:
    model = Scripted(lambda sent: "Yes")
    score = asked(yes_no(a_prompt(tmp_path), samples=3), model)
    assert score.parts["method"] == "sampled 3"
    assert [one.logprobs for one in model.asked] == [20, 0, 0, 0]


def test_a_model_that_can_take_no_form_of_the_prompt_is_refused(tmp_path: Path) -> None:
    model = Scripted(abilities=Abilities(chat=False, complete=True, complete_logprobs=20))
    with pytest.raises(Refused, match="needs turns"):
        asked(yes_no(a_prompt(tmp_path, "%% user\n{{ passage }}?")), model)


# Few-shot


def test_examples_are_balanced_and_in_an_order_of_the_rows_own(tmp_path: Path) -> None:
    judge = yes_no(a_prompt(tmp_path, FEW_SHOT, examples=EXAMPLES))
    documents = []
    for seed in range(20):
        model = Scripted(form="base")
        asked(judge, model, random.Random(seed))
        shown = [line.split(": ")[1] for line in sent(model.asked[0]).splitlines()[:-1]]
        assert Counter(shown) == {"yes": 2, "no": 2}
        documents.append(tuple(shown))
    assert len(set(documents)) > 3


def test_the_same_random_numbers_draw_the_same_examples(tmp_path: Path) -> None:
    judge = yes_no(a_prompt(tmp_path, FEW_SHOT, examples=EXAMPLES))
    one, other = Scripted(form="base"), Scripted(form="base")
    asked(judge, one, random.Random(3))
    asked(judge, other, random.Random(3))
    assert one.asked == other.asked


def test_examples_that_are_not_balanced_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="would teach the judge one answer"):
        yes_no(a_prompt(tmp_path, FEW_SHOT.replace("balance: answer\n", ""), examples=EXAMPLES))


def test_examples_whose_yes_is_yamls_true_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='put them in quotes, answer: "yes"'):
        yes_no(a_prompt(tmp_path, FEW_SHOT, examples=EXAMPLES.replace('"', "")))


# The step


def test_it_is_a_step_that_reads_what_its_prompts_name(tmp_path: Path) -> None:
    prompts = [phrasing("one"), a_prompt(tmp_path, "%% user\n{{ question }} {{ passage }}", "other")]
    step = judge(yes_no(prompts, about="passage"), raises="question")
    assert (step.name, step.awaits) == ("one", True)
    assert step.reads == {"passage": "passage", "question": "question"}
    assert step.about == {"passage"}
    assert (step.models, step.services) == ({"model": "model"}, {})


def test_random_numbers_are_taken_only_for_examples(tmp_path: Path) -> None:
    assert "rng" in inspect.signature(yes_no(a_prompt(tmp_path, FEW_SHOT, examples=EXAMPLES))).parameters
    assert "rng" not in inspect.signature(yes_no(phrasing("one"))).parameters


def test_another_model_goes_by_its_own_name() -> None:
    step = judge(yes_no(phrasing("one"), model="critic"))
    assert step.models == {"critic": "critic"}
    assert asyncio.run(step.function(passage="x", critic=Scripted(lambda sent: 0.7))).value == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"threshold": 0.6}, False),
        ({"wanted": "no"}, False),
        ({"samples": 3}, False),
        ({"model": "other"}, True),
    ],
)
def test_the_fingerprint_is_of_what_its_verdicts_hang_on(change: dict[str, Any], same: bool) -> None:
    assert (yes_no(phrasing("a")).fingerprint() == yes_no(phrasing("a"), **change).fingerprint()) is same


def test_the_fingerprint_knows_the_examples(tmp_path: Path) -> None:
    one = yes_no(a_prompt(tmp_path, FEW_SHOT, examples=EXAMPLES)).fingerprint()
    assert yes_no(a_prompt(tmp_path, FEW_SHOT, examples=EXAMPLES.replace("t7", "t9"))).fingerprint() != one


# What is refused


@pytest.mark.parametrize(
    ("settings", "named"), [("temperature: 0.7", "temperature"), ("max_tokens: 9\nstop: [x]", "max_tokens, stop")]
)
def test_a_prompt_that_sets_how_to_sample_is_refused(tmp_path: Path, settings: str, named: str) -> None:
    with pytest.raises(UserError, match=f"sets {named}, but a yes/no judge asks for one token"):
        yes_no(a_prompt(tmp_path, f"---\n{settings}\n---\n%% user\n{{{{ passage }}}}"))


def test_a_prompt_with_a_plain_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="what a judge asks is never trained"):
        yes_no(a_prompt(tmp_path, "%% user\n{{ passage }}\n%% plain\n{{ passage }}"))


@pytest.mark.parametrize(
    ("prompts", "options", "message"),
    [
        ([], {}, "needs a prompt to ask with"),
        (["a", "a"], {}, "Two phrasings of a yes/no judge are called 'a'"),
        (["method"], {}, "cannot be told from a score's own parts"),
        (["a"], {"threshold": 1.5}, r"The threshold of 'a' is a number from 0 to 1, not 1\.5"),
        (["a"], {"threshold": float("nan")}, "not nan"),
        (["a"], {"threshold": True}, "not True"),
        (["a"], {"wanted": "maybe"}, "wants 'yes' or 'no', not 'maybe'"),
        (["a"], {"samples": 0}, "1 or more, not 0"),
        (["a"], {"model": "passage"}, "reads a field 'passage', which is the name of its model"),
        (["a"], {"about": "answer"}, "is said to be about 'answer', and reads just passage"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_recipe_is_read(
    prompts: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        yes_no([phrasing(name) for name in prompts], **options)


def test_a_field_called_rng_beside_examples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'rng', which is the name of its random numbers"):
        yes_no(a_prompt(tmp_path, FEW_SHOT + "{{ rng }}", examples=EXAMPLES))
