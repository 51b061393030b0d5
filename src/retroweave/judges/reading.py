"""What a judge reads, as the signature that a step looks at: fields, models, random numbers.

A judge that is an object has no parameters of its own to look at, and one that is made of others reads what they read.
So signatures are put together here.
"""

from __future__ import annotations

import functools
import inspect
import random
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.step import About, Side

__all__ = ["Hints", "Judge", "fields_and", "hints_of", "merged", "names", "signature_of", "within"]

Judge = Callable[..., Any]
"""A function, or an object like one, that answers with a `Score` or with a bare yes or no; it may be `async`."""
Hints = Mapping[str, Any]
"""Parameter to type hint."""

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def fields_and(
    reads: Iterable[str], *, model: str | None = None, draws: bool = False, about: Sequence[str] = (), judge: str
) -> dict[str, Any]:
    """The hints of a judge that reads these fields and may ask a model and draw examples."""
    fields = dict.fromkeys(reads)
    for name in about:
        if name not in fields:
            raise UserError(f"The judge {judge!r} is said to be about {name!r}, and reads just {', '.join(fields)}.")
    taken = [name for name, used in ((model, model is not None), ("rng", draws)) if used]
    if clash := next((name for name in taken if name in fields), None):
        raise UserError(
            f"The judge {judge!r} reads a field {clash!r}, which is the name of its "
            f"{'random numbers' if clash == 'rng' else 'model'}. Rename the field."
        )
    of_any: Any = About[Any]  # type: ignore[misc]  # mypy takes the alias for one without a parameter
    hints: dict[str, Any] = {name: of_any if name in about else Any for name in fields}
    if draws:
        hints["rng"] = random.Random
    if model is not None:
        hints[model] = Model
    return hints


def signature_of(hints: Hints) -> inspect.Signature:
    return inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint) for name, hint in hints.items()],
        return_annotation=Any,
    )


def hints_of(judge: Judge) -> dict[str, Any]:
    """What any judge reads. Raises `UserError` where it does not take its parameters by name."""
    parameters = inspect.signature(judge).parameters.values()
    bound = judge.keywords if isinstance(judge, functools.partial) else {}
    if any(parameter.kind not in _BY_NAME for parameter in parameters):
        raise UserError(
            f"The judge {name_of(judge)!r} takes something else than parameters by name. Its parameters are the fields "
            "that it reads: wrap it in a function that names each."
        )
    if isinstance(getattr(judge, "__signature__", None), inspect.Signature):
        return {parameter.name: parameter.annotation for parameter in parameters}
    inner = judge.func if isinstance(judge, functools.partial) else judge
    hints = typing.get_type_hints(inner if inspect.isroutine(inner) else type(inner).__call__, include_extras=True)
    return {one.name: hints.get(one.name, Any) for one in parameters if one.name not in bound}


def name_of(judge: Judge) -> str:
    inner = judge.func if isinstance(judge, functools.partial) else judge
    return str(getattr(inner, "__name__", type(inner).__name__))


def merged(judges: Mapping[str, Judge]) -> dict[str, Any]:
    """What several judges read between them: parameters of one name are one."""
    found: dict[str, Any] = {}
    for name, judge in judges.items():
        for parameter, hint in hints_of(judge).items():
            found[parameter] = _both(found[parameter], hint, parameter, name) if parameter in found else hint
    return found


def _both(one: Any, other: Any, parameter: str, judge: str) -> Any:
    """A read that is a support of any judge is one of the whole; a hint that says more stands for one that does not."""
    if one == other:
        return one
    if hasattr(one, "__metadata__") or hasattr(other, "__metadata__"):
        return _both(getattr(one, "__origin__", one), getattr(other, "__origin__", other), parameter, judge)
    if one is Any and _is_field(other):
        return other
    if other is Any and _is_field(one):
        return one
    raise UserError(
        f"The judge {judge!r} takes {parameter!r} as {_shown(other)}, and one before it takes it as {_shown(one)}. "
        "Parameters of one name are handed the same thing: rename one."
    )


def _is_field(hint: Any) -> bool:
    return hint not in (Model, random.Random, Side)


def _shown(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


def names(one_or_more: str | Sequence[str]) -> tuple[str, ...]:
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)


def within(value: float, what: str) -> float:
    """A number from 0 to 1, or a `UserError` that says what should be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise UserError(f"{what} is a number from 0 to 1, not {value!r}.")
    return float(value)
