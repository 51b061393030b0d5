"""Numbers, dates and names of days, put together from characters."""

from __future__ import annotations

from retroweave.verifiers.questions.again.answers import (
    AGAIN,
    Values,
    again,
    among,
    named,
    numbers_of,
    told,
)

__all__: list[str] = []

AGAIN["has_digit"] = named(lambda text, values: "".join(one if one in "0123456789" else " " for one in text).split())


@again("number_present")
def _number_present(text: str, values: Values, found: Values) -> bool | None:
    numbers = [str(number) for number in numbers_of(text)]
    return None if found and found["found"] not in numbers else values["number"] in numbers


@again("number_above")
def _number_above(text: str, values: Values, found: Values) -> bool | None:
    above = [number for number in numbers_of(text) if number > int(values["number"])]
    return told(bool(above), found, most=str(sorted(numbers_of(text))[-1]))


@again("largest_number")
def _largest_number(text: str, values: Values, found: Values) -> bool | None:
    most = str(sorted(numbers_of(text))[-1])
    return told(values["number"] == most, found, most=most)


@again("numbers_sum")
def _numbers_sum(text: str, values: Values, found: Values) -> bool | None:
    total = 0
    for number in numbers_of(text):
        total += number
    return told(total == int(values["number"]), found, total=str(total))


@again("number_order")
def _number_order(text: str, values: Values, found: Values) -> bool | None:
    numbers = [str(number) for number in numbers_of(text)]
    one, other = numbers.index(values["number"]), numbers.index(values["other"])
    return told(one < other, found, first=numbers[min(one, other)])


@again("earlier_year")
def _earlier_year(text: str, values: Values, found: Values) -> bool | None:
    earliest = str(sorted(numbers_of(text))[0])
    return told(values["year"] == earliest, found, earliest=earliest)


@again("years_apart")
def _years_apart(text: str, values: Values, found: Values) -> bool | None:
    first, last = sorted(set(numbers_of(text)))
    return told(first + int(values["number"]) == last, found, apart=str(last - first), first=str(first), last=str(last))


@again("first_even")
def _first_even(text: str, values: Values, found: Values) -> bool | None:
    first = str(numbers_of(text)[0])
    return told(first[-1] in "02468", found, found=first)


@again("number_word")
def _number_word(text: str, values: Values, found: Values) -> bool | None:
    return among("two three four five six seven eight nine ten eleven twelve")(text.lower(), values, found)


AGAIN["month_named"] = among("january february july september october november december")
AGAIN["weekday_named"] = among(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays "
    "sundays"
)
