"""Families about numbers, years, months and days.

Only rows of digits that stand by themselves count. A text with 1,207, 3.5 or 4th in it is asked about none of them.
"""

from __future__ import annotations

import re
from itertools import combinations
from random import Random

from retroweave.verifiers.questions.family import Claim, Claims, family, shuffled
from retroweave.verifiers.questions.reading import Text, these

__all__: list[str] = []


def numbers(text: Text) -> list[int]:
    """The numbers of the text, each written as a row of digits by itself; none where one is written otherwise."""
    plain = re.findall(r"(?<![\w.,:/’'£$€%-])[1-9]\d{0,5}(?![\w:/’'%-]|[.,]\w)", text.shown)
    rows = re.findall(r"\d+", text.shown)
    return [int(one) for one in plain] if plain == rows else []


def years(text: Text) -> list[int]:
    """The numbers from 1500 to 2099, where all numbers of the text are plain."""
    return [number for number in numbers(text) if 1500 <= number < 2100]


@family(same=True)
def has_digit(text: Text, rng: Random) -> Claims:
    """There is a digit in the text."""
    found = re.search(r"[0-9]+", text.shown)
    if not re.search(r"[^\x00-\x7f]", re.sub(r"[^\d]", "", text.shown)):
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


@family()
def number_present(text: Text, rng: Random) -> Claims:
    """A certain number is written there in digits; if not, then one beside it is."""
    found = set(numbers(text))
    for number in sorted(found):
        yield Claim(True, {"number": f"{number}"})
        wrong = number + rng.choice((-10, -1, 1, 10))
        if wrong > 0 and wrong not in found:
            yield Claim(False, {"number": f"{wrong}"}, {"found": f"{number}"})


@family()
def number_above(text: Text, rng: Random) -> Claims:
    """Some number written in digits is larger than a certain one; near the border."""
    if found := numbers(text):
        most = max(found)
        if most > 3:
            yield Claim(True, {"number": f"{most - rng.randint(1, 2)}"}, {"most": f"{most}"})
            yield Claim(False, {"number": f"{most + rng.randint(0, 1)}"}, {"most": f"{most}"})


@family(weight=2)
def largest_number(text: Text, rng: Random) -> Claims:
    """Of the numbers written in digits a certain one is the largest; if not, it is the next."""
    found = [f"{number}" for number in sorted(set(numbers(text)), reverse=True)]
    if len(found) >= 2:
        yield Claim(True, {"number": found[0]}, {"most": found[0]})
        yield Claim(False, {"number": found[1]}, {"most": found[0]})


@family(weight=2)
def numbers_sum(text: Text, rng: Random) -> Claims:
    """All numbers written in digits add up to a certain sum; if not, it is a little off."""
    found = numbers(text)
    if 2 <= len(found) <= 5:
        total = sum(found)
        yield Claim(True, {"number": f"{total}"}, {"total": f"{total}"})
        yield Claim(False, {"number": f"{total + rng.choice((-1, 1, 10))}"}, {"total": f"{total}"})


@family(weight=2)
def number_order(text: Text, rng: Random) -> Claims:
    """One number, written in digits, comes before another."""
    found = numbers(text)
    once = [f"{number}" for number in found if found.count(number) == 1]
    for one, other in shuffled(combinations(once, 2), rng)[:4]:
        yield Claim(True, {"number": one, "other": other}, {"first": one})
        yield Claim(False, {"number": other, "other": one}, {"first": one})


@family(weight=4)
def earlier_year(text: Text, rng: Random) -> Claims:
    """Of the years that the text names a certain one is the earliest; if not, it is the next."""
    found = [f"{year}" for year in sorted(set(years(text)))]
    if len(found) >= 2 and len(years(text)) == len(numbers(text)):
        yield Claim(True, {"year": found[0]}, {"earliest": found[0]})
        yield Claim(False, {"year": found[1]}, {"earliest": found[0]})


@family(weight=4)
def years_apart(text: Text, rng: Random) -> Claims:
    """Two years that the text names are exactly so many years apart; if not, it is one more or less."""
    found = sorted(set(years(text)))
    if len(found) == 2 and len(years(text)) == len(numbers(text)) and found[1] - found[0] > 1:
        apart = found[1] - found[0]
        facts = {"apart": f"{apart}", "first": f"{found[0]}", "last": f"{found[1]}"}
        yield Claim(True, {"number": f"{apart}"}, facts)
        yield Claim(False, {"number": f"{apart + rng.choice((-1, 1, 10))}"}, facts)


@family(same=True, weight=2)
def first_even(text: Text, rng: Random) -> Claims:
    """The first number written in digits is even."""
    if found := numbers(text):
        yield Claim(found[0] % 2 == 0, {}, {"found": f"{found[0]}"})


@family(same=True)
def number_word(text: Text, rng: Random) -> Claims:
    """One of the words from two to twelve stands there."""
    if not any(mark in text.shown for mark in "-–") and not text.loose.keys() & _LARGE:
        found = [word for word in re.findall(r"[^\W\d_]+", text.shown.lower()) if word in _SPELT]
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


_LARGE = frozenset({"hundred", "thousand", "million", "dozen", "score"})
_SPELT = these("two three four five six seven eight nine ten eleven twelve")


@family(same=True, weight=2)
def month_named(text: Text, rng: Random) -> Claims:
    """The text names a month."""
    if not text.loose.keys() & _DOUBTFUL:
        found = [word for word in re.findall(r"[^\W\d_]+", text.shown) if word in _MONTHS]
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


_MONTHS = these("January February July September October November December")
_DOUBTFUL = these("april june may march august jan feb mar apr jun jul aug sep sept oct nov dec")


@family(same=True, weight=2)
def weekday_named(text: Text, rng: Random) -> Claims:
    """The text names a day of the week."""
    if not text.loose.keys() & {"mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "weekend"}:
        found = [word for word in re.findall(r"[^\W\d_]+", text.shown) if word.removesuffix("s") in _DAYS]
        yield Claim(bool(found), {}, {"found": found[0]} if found else {})


_DAYS = these("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
