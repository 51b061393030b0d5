"""A step: one move on a row, written as a plain function and wrapped by the verb of its move.

The function's parameters are the fields that it reads, as in pytest; its type hints say the rest. `About[str]` marks a
read that the result is a statement about; `Resource[Pool]` names something built before rows flow; `Model` is one of
the pipeline's models; `random.Random` and `Side` are handed in by the engine. Nothing here runs a step: that is `flow`.
"""

from __future__ import annotations

import functools
import inspect
import random
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, TypeVar

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.model import Model
from retroweave.pipeline.worth import Worth

__all__ = [
    "About",
    "Move",
    "Resource",
    "Side",
    "Step",
    "compute",
    "corrupt",
    "fits",
    "judge",
    "prompt",
    "verify",
]

T = TypeVar("T")
_ABOUT = object()
_RESOURCE = object()

About = Annotated[T, _ABOUT]
"""A read that the result is a statement about: a patch is about the damaged text, and rests on the clean one."""
Resource = Annotated[T, _RESOURCE]
"""Something built before rows flow and only read: an index, a pool of other rows' texts."""
Side = Literal["train", "validation"]
"""The side of the split that a row falls on; a pool that lends text to other rows lends from the row's own side."""
Move = Literal["compute", "prompt", "corrupt", "verify", "judge"]


@dataclass(frozen=True)
class Step:
    """One move: what it reads and writes, and what its result is worth."""

    move: Move
    name: str
    function: Callable[..., Any]
    reads: Mapping[str, str]
    """Parameter to field."""
    about: frozenset[str]
    """Those of the fields read that the result is a statement about."""
    writes: tuple[str, ...] = ()
    into: str | None = None
    """The field that a corruption damages; it carries the mark."""
    raises: tuple[str, ...] = ()
    """The fields whose worth a check raises."""
    strength: Worth = Worth.tested
    """What a field can be worth by this step alone."""
    many: bool = False
    """Whether the function gives an iterable of results, each a row of its own."""
    hidden: frozenset[str] = frozenset()
    """Fields that only the generator may see."""
    good: Mapping[str, Any] | None = None
    """A row that a check accepts."""
    spoiled: Mapping[str, Any] = field(default_factory=dict)
    """Field to a value that alone makes the check reject the good row."""
    accepts_right: float | None = None
    accepts_wrong: float | None = None
    """A judge's declared rates, for the odds."""
    score: str | None = None
    """The field that a judge's score is written into."""
    plain: str | None = None
    """The field that the plain prompt is written into, which is trained in the place of the generator's."""
    plain_reads: frozenset[str] = frozenset()
    """The fields that the plain prompt is made of."""
    services: Mapping[str, str] = field(default_factory=dict)
    """Parameter to what the engine hands in: `rng` or `side`."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Parameter to the name of a model of the pipeline."""
    resources: Mapping[str, str] = field(default_factory=dict)
    """Parameter to the name of a resource."""
    types: Mapping[str, Any] = field(default_factory=dict)
    """Field to the type that the function expects of it."""
    returns: tuple[Any, ...] = ()
    """The type of each field written."""

    @property
    def checks(self) -> bool:
        return self.move in ("verify", "judge")

    @property
    def awaits(self) -> bool:
        """Whether the step waits for something outside, and so stays in the parent process."""
        return _waits(self.function)


def compute(
    function: Callable[..., Any],
    writes: str | tuple[str, ...],
    *,
    many: bool = False,
    reads: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Step:
    """A pure function of the row. Worth the least of `tested` and what it rests on.

    A function that waits is not pure: what it asks may be a model, and its result is `prompted` until a check raises
    it. With several names in `writes` it returns a tuple; with `many` an iterable of such results, each a row of its
    own. `reads` renames: parameter to field.
    """
    return _declare("compute", function, reads, name, writes=_names(writes), strength=_by_program(function), many=many)


def prompt(
    function: Callable[..., Any],
    writes: str | tuple[str, ...],
    *,
    hidden: str | tuple[str, ...] = (),
    plain: str | None = None,
    many: bool = False,
    reads: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Step:
    """A model writes a field. All that it reads is context: its words rest on the model alone.

    `hidden` names fields that only the generator sees, such as few-shot examples: they never show in a sample. A
    function that substitutes a prompt returns the plain one after what it writes, and `plain` names its field: it is
    trained in the place of what the generator saw.
    """
    step = _declare(
        "prompt",
        function,
        reads,
        name,
        writes=(*_names(writes), *_names(plain or ())),
        hidden=frozenset(_names(hidden)),
        strength=Worth.prompted,
        many=many,
        plain=plain,
    )
    return replace(step, plain_reads=_plain_reads(step))


def corrupt(
    function: Callable[..., Any],
    into: str,
    *,
    log: str | tuple[str, ...] = (),
    many: bool = False,
    reads: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Step:
    """Deliberate damage. The field `into` is known to be wrong; `log` says what was done to it.

    The log of a function that waits may be a model's own account: it is `prompted`, where a program's is `tested`.
    """
    return _declare(
        "corrupt",
        function,
        reads,
        name,
        writes=(into, *_names(log)),
        into=into,
        strength=_by_program(function),
        many=many,
    )


def verify(
    function: Callable[..., Any],
    *,
    raises: str | tuple[str, ...] = (),
    strength: Literal["proved", "tested"] = "tested",
    good: Mapping[str, Any] | None = None,
    spoiled: Mapping[str, Any] | None = None,
    reads: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Step:
    """A program decides. `raises` names the fields that its yes vouches for, at `strength`.

    `proved` is for a sound checker that ties the field to what it claims. `good` is a row that it accepts, and
    `spoiled` holds, for each raised field, a value that alone makes it reject that row. A filter, which raises
    nothing, spoils any field that it reads.
    """
    if strength not in ("tested", "proved"):
        raise UserError(
            f"Step {name or _name_of(function)!r} has the strength {strength!r}; a program's yes is worth 'tested' or "
            "'proved'."
        )
    return _declare(
        "verify",
        function,
        reads,
        name,
        raises=_names(raises),
        strength=Worth[strength],
        good=good,
        spoiled=dict(spoiled or {}),
    )


def judge(
    function: Callable[..., Any],
    *,
    raises: str | tuple[str, ...] = (),
    score: str | None = None,
    accepts_right: float | None = None,
    accepts_wrong: float | None = None,
    good: Mapping[str, Any] | None = None,
    spoiled: Mapping[str, Any] | None = None,
    reads: Mapping[str, str] | None = None,
    name: str | None = None,
) -> Step:
    """A classifier decides. `accepts_right` and `accepts_wrong` declare its rates, for the odds.

    Where the function answers with a `Score`, that is kept with the row; `score` writes its value into a field too,
    for a measure, a cap or the pick of a family. Its `good` and `spoiled` rows are tried by the run's first calls, not
    by `check`: they may cost money.
    """
    for rate in (accepts_right, accepts_wrong):
        if rate is not None and not 0 <= rate <= 1:
            raise UserError(f"A judge's rate is a probability between 0 and 1, not {rate}.")
    step = _declare(
        "judge",
        function,
        reads,
        name,
        raises=_names(raises),
        strength=Worth.judged,
        writes=_names(score or ()),
        score=score,
        good=good,
        spoiled=dict(spoiled or {}),
        accepts_right=accepts_right,
        accepts_wrong=accepts_wrong,
    )
    return replace(step, returns=(float,)) if score else step


def _declare(
    move: Move, function: Callable[..., Any], reads: Mapping[str, str] | None, name: str | None, **rest: Any
) -> Step:
    name = name or _name_of(function)
    hints = _hints(function, name)
    renames = dict(reads or {})
    fields: dict[str, str] = {}
    about: set[str] = set()
    services: dict[str, str] = {}
    resources: dict[str, str] = {}
    models: dict[str, str] = {}
    expected: dict[str, Any] = {}
    for parameter in _parameters(function, name):
        hint = hints.get(parameter, Any)
        marks = getattr(hint, "__metadata__", ())
        if hint is random.Random:
            services[parameter] = "rng"
        elif hint == Side:
            services[parameter] = "side"
        elif hint is Model:
            models[parameter] = parameter
        elif _RESOURCE in marks:
            resources[parameter] = parameter
        else:
            written = renames.pop(parameter, parameter)
            fields[parameter] = written
            if _ABOUT in marks:
                about.add(parameter)
            expected[written] = hint.__origin__ if marks else hint
    if renames:
        raise UserError(
            f"Step {name!r} renames {sorted(renames)}, but its function has no such parameter; it has {sorted(fields)}."
        )
    supports = {written for parameter, written in fields.items() if parameter not in about}
    step = Step(
        move,
        name,
        function,
        reads=fields,
        about=frozenset(fields.values() if move == "prompt" else set(fields.values()) - supports),
        services=services,
        resources=resources,
        models=models,
        types=expected,
        returns=_returned(hints.get("return", Any), len(rest.get("writes", ())), rest.get("many", False)),
        **rest,
    )
    _require_names(step)
    return step


def _plain_reads(step: Step) -> frozenset[str]:
    """The fields that a plain prompt is made of; a function that does not say makes it of all that it reads."""
    offered = getattr(step.function, "plain_reads", None)
    if step.plain is None and offered is not None:
        raise UserError(
            f"The prompt of step {step.name!r} has a plain form, and nothing says into which field it goes: pass "
            'plain="instruction", and show {instruction} in the layout.'
        )
    if step.plain is not None and hasattr(step.function, "plain_reads") and offered is None:
        raise UserError(
            f"Step {step.name!r} writes its plain prompt into {step.plain!r}, but its prompt has none: add a section "
            "`%% plain` to the file, or drop plain=...."
        )
    if step.many and offered is not None:
        raise UserError(
            f"Step {step.name!r} gives several rows, and its prompt file a plain form for one. Draw them one at a "
            "time, in a family(...), or write the function yourself: each of its results ends with its plain prompt."
        )
    if step.plain is None:
        return frozenset()
    names = set(step.reads) if offered is None else set(offered)
    return frozenset(written for parameter, written in step.reads.items() if parameter in names)


def _require_names(step: Step) -> None:
    for field_name in (*step.reads.values(), *step.writes):
        if not field_name.isidentifier():
            raise UserError(f"Step {step.name!r} names a field {field_name!r}; a field's name is a Python identifier.")
    if not step.checks and not step.writes:
        raise UserError(f"Step {step.name!r} writes nothing; name the field that its result becomes.")


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _waits(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _by_program(function: Callable[..., Any]) -> Worth:
    """What is known of a result that no check has seen: it is a program's, unless the function asks elsewhere."""
    return Worth.prompted if _waits(function) else Worth.tested


def _parameters(function: Callable[..., Any], name: str) -> list[str]:
    """The parameters that are handed in by name; those that a `partial` bound are none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a built-in that does not say
        parameters = None
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if parameters is None or any(parameter.kind not in by_name for parameter in parameters):
        raise UserError(
            f"The function of step {name!r} takes something else than parameters by name. Its parameters are the "
            "fields that it reads: wrap it in a function that names each."
        )
    bound = function.keywords if isinstance(function, functools.partial) else {}
    return [parameter.name for parameter in parameters if parameter.name not in bound]


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """The function's type hints; they are the declaration, so one that cannot be read is an error."""
    if isinstance(function, functools.partial):
        return _hints(function.func, name)
    if isinstance(signature := getattr(function, "__signature__", None), inspect.Signature):  # it knows by itself
        hints = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
        return hints | {"return": signature.return_annotation}
    target = function if inspect.isroutine(function) else type(function).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except NameError as error:
        raise UserError(
            f"The type hints of step {name!r} cannot be read: {error}. Import that name at the top of the module, "
            "not under TYPE_CHECKING: the hints say what the step reads."
        ) from error


def _returned(hint: Any, count: int, many: bool) -> tuple[Any, ...]:
    """The type of each of `count` written fields, `Any` where the hint does not say."""
    if many:
        inner = typing.get_args(hint)
        hint = inner[0] if inner else Any
    if count == 1:
        return (hint,)
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is tuple and len(inner) == count and Ellipsis not in inner:
        return inner
    return (Any,) * count


def _names(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def fits(found: Any, expected: Any) -> bool:
    """Whether a field of type `found` may be read as `expected`; what a hint leaves unsaid fits."""
    if Any in (found, expected) or found == expected or expected is object:
        return True
    if _is_union(found):
        return all(fits(option, expected) for option in typing.get_args(found))
    if _is_union(expected):
        return any(fits(found, option) for option in typing.get_args(expected))
    if typing.get_origin(found) is Literal:
        values = typing.get_args(found)
        if typing.get_origin(expected) is Literal:
            return set(values) <= set(typing.get_args(expected))
        return all(fits(type(value), expected) for value in values)
    return _is_kind_of(found, expected) and _items_fit(found, expected)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _is_kind_of(found: Any, expected: Any) -> bool:
    outer, wanted = (
        dict if typing.is_typeddict(hint) else typing.get_origin(hint) or hint for hint in (found, expected)
    )
    if not (isinstance(outer, type) and isinstance(wanted, type)):
        return False
    try:
        return issubclass(outer, wanted) or (outer, wanted) == (int, float)
    except TypeError:  # a protocol that cannot be asked at run time
        return True


def _items_fit(found: Any, expected: Any) -> bool:
    inside = [item for item in typing.get_args(found) if item is not Ellipsis]
    wanted = [item for item in typing.get_args(expected) if item is not Ellipsis]
    if not inside or not wanted:
        return True
    if typing.get_origin(found) is tuple:
        if typing.get_origin(expected) is not tuple or Ellipsis in typing.get_args(expected):
            wanted = wanted * len(inside)
        if len(inside) != len(wanted):
            return False
    return all(fits(one, other) for one, other in zip(inside, wanted, strict=False))
