"""What a run leaves of models and judges: notes of calls and verdicts, and what `run.json` says of both."""

from __future__ import annotations

from typing import Any

ASKED_STEPS = [
    ("1", "given", "passages", [], ["passage"], [], "rows of passages, under CC0-1.0"),
    ("2", "family", "until it passes", [], [], [], "until 1 survive, 4 tries"),
    ("2.1", "prompt", "ask", ["passage"], ["raw"], [], "Ask the model for a question."),
    ("2.2", "compute", "question_of", ["raw"], ["question"], [], "The question alone."),
    ("2.3", "verify", "is_a_question", ["question"], [], [], "One line that ends in a question mark."),
    ("2.4", "judge", "answerable", ["question", "passage"], [], ["question"], "Ask whether the passage answers it."),
    ("3", "reverse", "reverse", ["question", "passage"], [], [], "trains passage; floor tested"),
]


def step_line(*parts: Any) -> dict[str, Any]:
    return dict(zip(("number", "move", "name", "reads", "writes", "raises", "text"), parts, strict=True))


def reject(number: int) -> dict[str, Any]:
    reason = "the patch does not apply" if number % 3 else "gave no rows"
    return {
        "row": f"0/{number}",
        "step": "patch_restores",
        "kind": "reject",
        "reason": reason,
        "trace": "",
        "source": f"builtin:letters/{number}.txt",
        "calls": [],
        "verdicts": [],
    }


def call(step: str, prompt: Any, answer: str | None, model: str = "writer", **more: Any) -> dict[str, Any]:
    """A note of one call, as the engine makes it; a prompt that is a text alone is one turn of the user."""
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    said = {} if answer is None else {"answer": answer, "finish": "stop", "tokens": [12, 3]}
    return {"step": step, "model": model, "prompt": turns, **said, **more}


def verdict(score: float | None, passed: bool, step: str = "answerable", **parts: Any) -> dict[str, Any]:
    return {"step": step, "score": score, "passed": passed, "parts": parts or {"method": "logprobs"}}


def turned_away(row: str, calls: list[Any], verdicts: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A reject of the judge, unless `fields` say otherwise."""
    return reject(0) | {
        "row": row,
        "step": "answerable",
        "reason": "scored below 0.5",
        "calls": calls,
        "verdicts": [verdict(0.2, False)] if verdicts is None else verdicts,
        **fields,
    }


def asked_run(**fields: Any) -> dict[str, Any]:
    """What `run.json` says of a run that asked two models."""
    judged = {"step": "answerable", "accepts_right": 0.9, "accepts_wrong": 0.2}
    return {
        "steps": [step_line(*step) for step in ASKED_STEPS],
        "judges": [judged],
        "models": [
            model("writer", use="openai:big@http://127.0.0.1:8000/v1", calls=120, tokens=45_600, cost=0.25),
            model("judge", use="openai:small@http://127.0.0.1:8001/v1", calls=30, tokens=900, cost=0.0125),
        ],
        "out_of_budget": "",
    } | fields


def model(*names: str, **fields: Any) -> dict[str, Any]:
    """An entry of `models` in `run.json`."""
    able = {"chat": True, "complete": True, "logprobs": 20, "complete_logprobs": 20, "schema": True, "embed": False}
    return {
        "names": list(names),
        "use": "openai:big@http://127.0.0.1:8000/v1",
        "form": "chat",
        "abilities": able | fields.pop("abilities", {}),
        "terms": {"name": "Apache-2.0", "meaning": "Its output is free.", "verdict": "open"} | fields.pop("terms", {}),
        "left_out": [],
        "calls": 0,
        "tokens": 0,
        "cost": 0.0,
    } | fields
