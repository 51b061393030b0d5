"""How often which bug is planted, and the drawing of them: as people make mistakes, not as the syntax offers places.

A function has dozens of places for a wrong operator and few for a missing guard, so sites drawn alike would be nothing
like what people mend. Of one-line fixes in Python projects (Richter and Wehrheim, "TSSB-3M", MSR 2022) 16.4 % concern a
wrong identifier, 12.1 % an operand, 10.4 % a missing argument, 9.3 % a wrong function, 8.1 % a missing call around a
value, 7.2 % an attribute, 6.7 % a number, 4.7 % a guard that lets too much through and 2.0 % an operator. `FAMILIES`
is set so that what is planted comes near these shares: nearly each function has identifiers to confuse and few have an
attribute or a call around a value, so the first are drawn less often and the others more. What the interpreter reports
by itself teaches little, and is capped.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from retroweave.corruptions.bugs import (  # noqa: F401  (they register their operators)
    access,
    calls,
    conditions,
    names,
    numbers,
    statements,
    syntax,
    types,
)
from retroweave.corruptions.bugs.planting import Bug, are_apart, is_sound, planted
from retroweave.corruptions.bugs.site import KINDS, OPERATORS
from retroweave.corruptions.code import Code, meaning
from retroweave.pipeline.errors import UserError, nearest

__all__ = ["CAPPED", "FAMILIES", "WEIGHTS", "chain", "draw"]

FAMILIES: dict[str, tuple[float, dict[str, float]]] = {
    "identifier": (9, {
        "wrong_variable": 8, "wrong_variable_returned": 2.5, "shadowed_parameter": 1, "wrong_key": 1.5,
    }),
    "operand": (12, {"wrong_operand": 1}),
    "argument": (14, {
        "argument_dropped": 2.4, "keyword_dropped": 2.2, "option_dropped": 2.2, "default_dropped": 1.6,
    }),
    "function": (9.5, {"similar_function": 4.5, "similar_method": 3.8, "foreign_method": 1}),
    "call": (12, {
        "cast_dropped": 1.5, "text_plus_number": 0.6, "wrapper_dropped": 1.2, "method_dropped": 1.2,
        "length_dropped": 0.5, "range_over_object": 0.5, "range_dropped": 0.2, "list_call_dropped": 0.4,
        "call_parentheses_dropped": 0.6, "called_instead_of_indexed": 0.2, "wrapped_twice": 0.4,
        "in_place_result": 0.5, "copy_dropped": 0.1, "get_to_index": 0.5,
    }),
    "attribute": (10, {"wrong_attribute": 1}),
    "number": (7, {
        "constant_off_by_one": 1.2, "mistyped_number": 0.6, "wrong_start": 0.6, "range_bound": 0.8,
        "boolean_flipped": 0.6, "index_off_by_one": 0.8, "wrong_end": 0.5, "slice_off_by_one": 0.6,
        "slice_bound_dropped": 0.4, "range_overrun": 0.4, "length_as_index": 0.2,
    }),
    "guard": (6, {
        "guard_deleted": 1.5, "condition_part_dropped": 1.3, "chain_part_dropped": 0.5, "negated_condition": 0.9,
        "and_or_swapped": 0.5, "missing_entry": 0.4, "try_removed": 0.5, "except_too_narrow": 0.3,
        "wrong_exception_caught": 0.3, "except_too_broad": 0.05, "elif_to_if": 0.1,
    }),
    "operator": (2.5, {
        "boundary": 1, "negated_comparison": 0.4, "flipped_comparison": 0.3, "wrong_arithmetic": 0.3,
        "wrong_division": 0.3, "update_to_assignment": 0.5, "parentheses_dropped": 0.4, "misplaced_parenthesis": 0.3,
    }),
    "order": (3, {
        "arguments_swapped": 1, "operands_swapped": 1, "tuple_order": 1, "branches_swapped": 0.5,
        "assignment_split": 0.4, "statements_swapped": 0.2,
    }),
    "statement": (3.5, {
        "statement_deleted": 1.2, "early_return": 0.7, "moved_into_loop": 0.5,
        "reset_in_loop": 0.6, "moved_out_of_loop": 0.6, "moved_out_of_condition": 0.5, "break_continue": 0.4,
        "return_forgotten": 0.3, "return_deleted": 0.3, "shared_default": 0.4,
        "shared_rows": 0.4, "raise_forgotten": 0.2, "exception_returned": 0.1, "wrong_exception_raised": 0.2,
    }),
    "literal": (0.8, {
        "constant_to_string": 0.4, "digits_unquoted": 0.3, "stray_comma": 0.2, "tuple_comma_dropped": 0.2,
        "joined_strings": 0.3, "f_prefix_dropped": 0.4, "generator_for_list": 0.2, "braces_for_set": 0.2,
        "bytes_prefix_dropped": 0.2,
    }),
    "capped": (10.7, {
        "missing_initialisation": 1.8, "misspelt_name": 1.5, "foreign_constant": 0.6, "colon_dropped": 0.8,
        "bracket_unclosed": 1.1, "bracket_mismatched": 0.4, "bracket_extra": 0.4, "quote_unclosed": 0.6,
        "comma_dropped": 0.7, "assignment_for_comparison": 0.6, "keyword_misspelt": 0.4, "comparison_misspelt": 0.3,
        "foreign_operator": 0.4, "indent_lost": 0.6, "indent_unexpected": 0.4, "indent_uneven": 0.4,
    }),
}  # fmt: skip
"""The share of each family of bugs in a hundred, and the weights of its operators among themselves."""

WEIGHTS: dict[str, float] = {
    name: share * weight / sum(weights.values())
    for share, weights in FAMILIES.values()
    for name, weight in weights.items()
}
"""How often in a hundred each operator is drawn where all of them have a site."""

CAPPED = frozenset(FAMILIES["capped"][1])
"""What does not parse, and what raises a NameError: never drawn in the place of what has no site."""

_TRIES = 8
"""How many sites of an operator are looked at before another operator is drawn."""
_DRAWS = 3
"""How many operators of a family are drawn before another family is."""

Families = list[tuple[float, dict[str, float]]]


def draw(source: str, rng: Random, kinds: Mapping[str, float] | None = None) -> Bug | None:
    """A bug for a function, or None where none can be planted. `Drop` where the text is no Python.

    `kinds` are weights to draw by in place of `FAMILIES`, by operator or by kind (see `KINDS`); what they do not name
    is not drawn.
    """
    return _drawn(Code.of(source), rng, _families(kinds), [])


def chain(source: str, rng: Random, count: int, kinds: Mapping[str, float] | None = None) -> list[Bug]:
    """Up to `count` bugs for one function, of different operators, in reading order.

    No two touch, at most one keeps the text from being parsed, and each makes a difference to the others together.
    """
    code, families = Code.of(source), _families(kinds)
    bugs: list[Bug] = []
    for _ in range(count):
        bug = _drawn(code, rng, families, bugs)
        if bug is None:
            break
        bugs.append(bug)
        families = _without(families, bug)
    return sorted(bugs, key=lambda bug: bug.site.edits[0])


def _without(families: Families, bug: Bug) -> Families:
    """The families without the operator of a bug, or without all of syntax."""

    def stays(name: str) -> bool:
        return name != bug.operator and not bug.kind == OPERATORS[name].kind == "syntax"

    left = [(share, {name: weights[name] for name in weights if stays(name)}) for share, weights in families]
    return [(share, weights) for share, weights in left if weights]


def _families(kinds: Mapping[str, float] | None) -> Families:
    """What is drawn from, in an order that does not hang on that of `kinds`."""
    if kinds is None:
        return list(FAMILIES.values())
    for name, weight in kinds.items():
        if name not in OPERATORS and name not in KINDS:
            raise UserError(f"There is no kind of bug and no operator {name!r}. {nearest(name, (*KINDS, *OPERATORS))}")
        if weight < 0:
            raise UserError(f"The weight of {name!r} is {weight}. A weight is 0 (never) or more.")
    if not any(kinds.values()):
        raise UserError("No kind of bug has a weight above 0. Give one to at least one.")
    return [(kinds[name], _named(name)) for name in sorted(kinds) if kinds[name] > 0]


def _named(name: str) -> dict[str, float]:
    """The operator of a name, or those of a kind."""
    return {one: weight for one, weight in WEIGHTS.items() if name in (one, OPERATORS[one].kind)}


def _drawn(code: Code, rng: Random, families: Families, there: list[Bug]) -> Bug | None:
    """A bug beside those that are there, of the first operator drawn that has a site for it.

    One without a site gives way to another of its family, so that the families keep their shares; but only a few
    times, so that those that nearly always have a site do not take the share of all others.
    """
    left = [(share, dict(weights)) for share, weights in families]
    nothing_else = not any(_teaches(weights) for _, weights in left)
    later: Families = []
    while left:
        family = rng.choices(left, [share for share, _ in left])[0]
        bug = _of_a_family(code, rng, family[1], there)
        if bug is not None:
            return bug
        left.remove(family)
        later.append(family)
        left = [other for other in left or later if other[1] and (nothing_else or _teaches(other[1]))]
        later = [other for other in later if other not in left]
    return None


def _of_a_family(code: Code, rng: Random, weights: dict[str, float], there: list[Bug]) -> Bug | None:
    """A bug of one of a few operators; those that have no site are taken out of `weights`."""
    for _ in range(min(_DRAWS, len(weights))):
        name = rng.choices(list(weights), list(weights.values()))[0]
        bug = _at_a_site(code, rng, name, there)
        if bug is not None:
            return bug
        del weights[name]
    return None


def _teaches(weights: Mapping[str, float]) -> bool:
    """Whether a family holds more than what is capped."""
    return any(name not in CAPPED for name in weights)


def _at_a_site(code: Code, rng: Random, name: str, there: list[Bug]) -> Bug | None:
    kind = OPERATORS[name]
    sites = kind.sites(code)
    for index in rng.sample(range(len(sites)), min(_TRIES, len(sites))):
        bug = Bug(name, sites[index])
        if are_apart(there, bug) and is_sound(code, kind, bug.site) and _counts(code, there, bug):
            return bug
    return None


def _counts(code: Code, there: list[Bug], bug: Bug) -> bool:
    """Whether a bug still makes a difference beside others; of what does not parse, one is enough."""
    if not there or bug.kind == "syntax":
        return True
    others = [other for other in there if other.kind != "syntax"]
    return meaning(planted(code.text, [*others, bug])[0]) not in (None, meaning(planted(code.text, others)[0]))
