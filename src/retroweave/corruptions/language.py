"""Damage to language: wrong words, wrong forms, words missing, doubled or in the wrong order, sentences badly cut.

The operations rest on the lists of `lexicon` and on the words beside, not on a parser, and so they keep to places
where the mistake is plain: a careful reader can tell what stood there. They know English only. What may act where is
found once for a passage and grouped by word, so that "their" is met as often as "to".
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from random import Random
from typing import TypeAlias

from retroweave.corruptions.lexicon import (
    ARTICLES,
    BASE_AND_THIRD,
    CONFUSED_WORDS,
    HOMOPHONES,
    NEEDED,
    NEGATORS,
    NUMBER_WORDS,
    OPENERS,
    PAST_TENSE,
    PLURAL_SUBJECTS,
    POSSESSIVES,
    PREPOSITIONS,
    PRESENT_TENSE,
    SINGULAR_SUBJECTS,
    UNDETERMINED,
)
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose, cuts_a_cluster, like, pick

__all__: list[str] = []

Groups: TypeAlias = "tuple[array[int], ...]"
"""Word indexes that belong together, by word."""

_TRIES = 8


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pick_grouped(rng: Random, groups: Groups) -> int | None:
    group = pick(rng, groups)
    return None if group is None else pick(rng, group)


def _replace(prose: Prose, index: int, new: str) -> Edit:
    """Put `new` for a word, in its case and with its kind of apostrophe."""
    old = prose.word(index)
    if "'" in new and "'" not in prose.text and "’" in prose.text:
        new = new.replace("'", "’")
    return Edit(prose.starts[index], prose.ends[index], like(new, old))


# Words for words that sound or look alike

_BEFORE_HAVE = _words("could would should might must couldn't wouldn't shouldn't")


def homophone_places(prose: Prose) -> Groups:
    return prose.grouped(HOMOPHONES)


@operation(severity=2)
def homophone(prose: Prose, rng: Random) -> list[Edit] | None:
    """Another word of the same sound."""
    index = _pick_grouped(rng, prose.places(homophone_places))
    return None if index is None else [_replace(prose, index, rng.choice(HOMOPHONES[prose.lowered[index]]))]


def confused_places(prose: Prose) -> Groups:
    lowered = prose.lowered
    haves = (
        i for i, word in enumerate(lowered) if word == "have" and lowered[i - 1] in _BEFORE_HAVE and prose.spaced(i - 1)
    )
    return prose.grouped(CONFUSED_WORDS) + prose.grouped({"have"}, haves)


@operation(severity=2)
def confused_word(prose: Prose, rng: Random) -> list[Edit] | None:
    """A word that is often taken for the right one, though it sounds otherwise; after could and would, of for have."""
    index = _pick_grouped(rng, prose.places(confused_places))
    if index is None:
        return None
    return [_replace(prose, index, rng.choice(CONFUSED_WORDS.get(prose.lowered[index], ("of",))))]


# Agreement

_SINGULAR_VERBS = [
    ("was", "were"), ("is", "are"), ("has", "have"), ("does", "do"), ("wasn't", "weren't"), ("isn't", "aren't"),
    ("hasn't", "haven't"), ("doesn't", "don't"), *((third, base) for base, third in BASE_AND_THIRD),
]  # fmt: skip
_FIRST_PERSON = {"was": "were", "am": "is", "have": "has", "do": "does", "wasn't": "weren't", "haven't": "hasn't",
                 "don't": "doesn't"}  # fmt: skip
_WRONG_VERB: dict[str, Mapping[str, str]] = {
    **{subject: dict(_SINGULAR_VERBS) for subject in SINGULAR_SUBJECTS},
    **{subject: {plural: singular for singular, plural in _SINGULAR_VERBS} for subject in PLURAL_SUBJECTS},
    "i": _FIRST_PERSON | dict(BASE_AND_THIRD),
}
"""Subject, to the verbs that agree with it, to those that do not."""


def agreement_places(prose: Prose) -> Groups:
    """Verbs whose subject stands right before them and agrees with them."""
    lowered = prose.lowered
    found = (
        index
        for index in range(1, len(lowered))
        if lowered[index] in _WRONG_VERB.get(lowered[index - 1], ()) and prose.spaced(index - 1)
    )
    return prose.grouped(set(lowered), found)


@operation(severity=3)
def wrong_agreement(prose: Prose, rng: Random) -> list[Edit] | None:
    """The verb no longer agrees: they was, she have, it do."""
    index = _pick_grouped(rng, prose.places(agreement_places))
    if index is None:
        return None
    subject, verb = prose.lowered[index - 1 : index + 1]
    return [_replace(prose, index, _WRONG_VERB[subject][verb])]


# Tense

_BEFORE_PARTICIPLES = _words(
    "have has had having be been being was were is are am get got gets not i've we've you've they've he'd she'd it's"
)
_AFTER_PARTICIPLES = _words("by of")
_PAST_OR_PRESENT = PAST_TENSE.keys() | PRESENT_TENSE.keys()
_TENSE_REACH = 250
"""How far in characters another verb may stand to show the tense of this one."""
_OPENS_A_CLAUSE = _words(
    "that which who whom whose what where when why how whether if unless because as than since while until till before "
    "after though although lest once"
)
"""Words whose clause may rightly have another tense than the sentence: she was right that I lose."""
_CLAUSE_REACH = 8
_SENTENCE_MARKS = ".!?;:"
_COORDINATORS = _words("and but or then so now")
_PRONOUNS = _words("i he she it we you they")
_OPENS_A_SUBJECT = POSSESSIVES | {"the"}
_NO_PARTICIPLES = _words(
    "was were had did went came took gave knew became began chose drew drank drove ate fell flew forgot grew hid rode "
    "ran shook sang sank spoke stole swam threw woke wore wrote"
)
"""Past forms that cannot be read as “the boy called Tom”."""
_SHARED_REACH = 12
"""How many words a verb may stand from the one whose subject it shares."""
_SPEECH = re.compile(r"[\"“”‘]|’(?!\w)")


def tense_places(prose: Prose) -> Groups:
    """Main verbs of the list between two listed verbs of the same tense, close by, so that a slip shows."""
    verbs = [index for index, word in enumerate(prose.lowered) if word in _PAST_OR_PRESENT and _is_finite(prose, index)]
    shown = (
        verb
        for before, verb, after in zip(verbs, verbs[1:], verbs[2:], strict=False)
        if _tense_shows(prose, before, verb, after)
    )
    return prose.grouped(_PAST_OR_PRESENT, shown)


def _tense_shows(prose: Prose, before: int, verb: int, after: int) -> bool:
    """Whether the verbs before and after prove the tense of this one.

    All are of one tense, in the same sentence or the next, at least one of them in its own, and no speech begins or
    ends between; the verb is in no clause that may go its own way.
    """
    starts, lowered = prose.starts, prose.lowered
    if len({lowered[index] in PAST_TENSE for index in (before, verb, after)}) > 1:
        return False
    if starts[after] - starts[verb] > _TENSE_REACH or starts[verb] - starts[before] > _TENSE_REACH:
        return False
    first, own, last = (
        bisect_right(prose.sentences, (starts[index], len(prose.text))) for index in (before, verb, after)
    )
    if own - first > 1 or last - own > 1 or first < own < last:
        return False
    if _in_a_clause(prose, verb) or _subject(prose, verb) is None:
        return False
    stretches = prose.text[starts[before] : starts[verb]], prose.text[starts[verb] : starts[after]]
    return not any(len(_SPEECH.findall(stretch)) % 2 or "\n\n" in stretch for stretch in stretches)


def _in_a_clause(prose: Prose, verb: int) -> bool:
    """Whether a word shortly before, in the same sentence, opens a clause that the verb may belong to."""
    for index in range(verb - 1, max(-1, verb - 1 - _CLAUSE_REACH), -1):
        if any(mark in prose.between(index, index + 1) for mark in _SENTENCE_MARKS):
            return False
        if prose.lowered[index] in _OPENS_A_CLAUSE:
            return True
    return False


def _is_finite(prose: Prose, index: int) -> bool:
    """Whether a verb form is no participle and no wish (if I were), as far as the words beside it tell."""
    lowered = prose.lowered
    before = lowered[index - 1] if index else ""
    after = lowered[index + 1] if index + 1 < len(lowered) else ""
    if lowered[index] == "has" and after.endswith(("ed", "en")):
        return False  # has been and had been are both at home among verbs of the present
    if lowered[index] == "were" and before in SINGULAR_SUBJECTS | {"i"}:
        return False
    return before not in _BEFORE_PARTICIPLES and before not in ARTICLES and after not in _AFTER_PARTICIPLES


@operation(severity=3)
def tense_slip(prose: Prose, rng: Random) -> list[Edit] | None:
    """One verb in another tense than those before and after it."""
    index = _pick_grouped(rng, prose.places(tense_places))
    if index is None:
        return None
    verb = prose.lowered[index]
    return [_replace(prose, index, PRESENT_TENSE.get(verb) or _present(prose, index, verb))]


def _subject(prose: Prose, verb: int) -> str | None:
    """The word that shows the number of the subject of a main verb: he, they, sails; None where it is not plain.

    A pronoun must open its clause: in “the noise it makes” and “he says it is” the clause goes its own way.
    """
    lowered = prose.lowered
    before = lowered[verb - 1]
    if not prose.spaced(verb - 1):
        return None
    if before in _COORDINATORS:
        return _shared_subject(prose, verb)
    if before in _PRONOUNS:
        opens = verb < 2 or not prose.spaced(verb - 2) or lowered[verb - 2] in _COORDINATORS
        return before if opens else None
    named = verb > 2 and lowered[verb - 2] in _OPENS_A_SUBJECT and lowered[verb - 3] not in PREPOSITIONS
    return before if named and lowered[verb] in _NO_PARTICIPLES else None


def _shared_subject(prose: Prose, verb: int) -> str | None:
    """The pronoun of the verb to which “and” joins this one."""
    for other in range(verb - 2, max(0, verb - 2 - _SHARED_REACH), -1):
        if any(mark in prose.between(other, other + 1) for mark in _SENTENCE_MARKS):
            return None
        if prose.lowered[other] in _PAST_OR_PRESENT:
            return prose.lowered[other - 1] if prose.lowered[other - 1] in _PRONOUNS else None
    return None


def _present(prose: Prose, index: int, verb: str) -> str:
    """The present form that goes with the subject: I am, they go, the sails go, she goes."""
    base, third = PAST_TENSE[verb]
    subject = _subject(prose, index) or ""
    if subject == "i" and verb == "was":
        return "am"
    plural = subject in PLURAL_SUBJECTS or subject == "i" or (subject.endswith("s") and len(subject) > 4)
    return base if plural else third


# Missing words


def needed_words(prose: Prose) -> Groups:
    """Function words that their sentence cannot do without, with nothing but spaces round them."""
    lowered = prose.lowered
    found = (
        index
        for index in range(1, len(lowered) - 1)
        if (frames := NEEDED.get(lowered[index])) is not None
        and (
            any(lowered[index - 1] in before and lowered[index + 1] in after for before, after in frames)
            or _is_the_of(prose, index)
        )
        and prose.spaced(index - 1)
        and prose.spaced(index)
    )
    return prose.grouped(NEEDED, found)


def _is_the_of(prose: Prose, index: int) -> bool:
    """A preposition, "the", a singular and "of": at the edge of."""
    the_of = prose.lowered[index - 1 : index + 3]
    if len(the_of) < 4 or the_of[1] != "the" or the_of[3] != "of":
        return False
    return the_of[0] in PREPOSITIONS and the_of[2] != "front" and not the_of[2].endswith("s")


@operation(severity=3, named_by="neighbours")
def dropped_function_word(prose: Prose, rng: Random) -> list[Edit] | None:
    """A small word is missing that the sentence needs: one of houses, began walk."""
    index = _pick_grouped(rng, prose.places(needed_words))
    if index is None:
        return None
    return [Edit(prose.starts[index], prose.starts[index + 1], "")]


# Negatives

_NOT_AFTER = _words("did do does could would will should can")
_CONTRACTED = _words("didn't don't doesn't couldn't wouldn't won't shouldn't can't cannot")
_SPLITS_NOT = _words("only be have been always quite necessarily yet even just a an the")
_NEGATIVES = _words("no nothing nobody nowhere never")
_NOT_BEFORE = _words("was were is are had has could would did")
_NEGATIVE_REACH = 10
"""How many words a negative may stand before the word that it calls for."""
_INSIDE_A_CLAUSE = (" ", "\n", "\r\n")


def second_negatives(prose: Prose) -> Groups:
    """Words beside which, or in whose place, people put a second negative."""
    lowered = prose.lowered
    found = [
        index
        for index in range(1, len(lowered) - 1)
        if (lowered[index] in UNDETERMINED and _negative_before(prose, index) is not None)
        or (_is_negated_verb(prose, index) and lowered[index + 1] not in _SPLITS_NOT and prose.spaced(index))
        or (lowered[index] in _NEGATIVES and lowered[index - 1] in _NOT_BEFORE and prose.spaced(index - 1))
    ]
    return prose.grouped(set(lowered), found)


def _is_negated_verb(prose: Prose, index: int) -> bool:
    word = prose.lowered[index]
    return word in _CONTRACTED or (word == "not" and prose.lowered[index - 1] in _NOT_AFTER and prose.spaced(index - 1))


def _negative_before(prose: Prose, index: int) -> int | None:
    """The negative that stands before a word in the same clause."""
    for other in range(index - 1, max(-1, index - 1 - _NEGATIVE_REACH), -1):
        if prose.between(other, other + 1) not in _INSIDE_A_CLAUSE or prose.lowered[other] in _OPENS_A_CLAUSE:
            return None
        if prose.lowered[other] in NEGATORS:
            return other
    return None


@operation(severity=3)
def doubled_negative(prose: Prose, rng: Random) -> list[Edit] | None:
    """A second negative: did not see nothing, could not never, was not nothing.

    The edit is the stretch that holds both, though only one of them is new: quoted alone it is no double negative.
    """
    index = _pick_grouped(rng, prose.places(second_negatives))
    if index is None:
        return None
    word = prose.lowered[index]
    first = _negative_before(prose, index) if word in UNDETERMINED else None
    if first is not None:
        second = _replace(prose, index, UNDETERMINED[word])
        return [Edit(prose.starts[first], second.end, f"{prose.text[prose.starts[first] : second.start]}{second.new}")]
    start, end = prose.starts[index if word in _CONTRACTED else index - 1], prose.ends[index]
    if word in _NEGATIVES:
        return [Edit(start, end, f"{prose.word(index - 1)} not {prose.word(index)}")]
    return [Edit(start, end, f"{prose.text[start:end]} never")]


# Words doubled and swapped

_MAY_STAND_TWICE = _words("had that very so no yes again more ha oh bye now well there")


@operation(severity=2)
def doubled_word(prose: Prose, rng: Random) -> list[Edit] | None:
    """A word was written twice; mostly a small one, which the eye skips."""
    for attempt in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        word, end = prose.lowered[index], prose.ends[index]
        if word in _MAY_STAND_TWICE or not word.isalpha() or cuts_a_cluster(prose.text, end):
            continue
        if (len(word) < 5 and word in OPENERS) or (attempt > 4 and prose.word(index).islower()):
            return [Edit(end, end, f" {word}")]
    return None


@operation(severity=3)
def swapped_words(prose: Prose, rng: Random) -> list[Edit] | None:
    """Two words stand in the wrong order."""
    for _ in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        if prose.spaced(index) and prose.word(index).islower() and prose.word(index + 1).islower():
            new = f"{prose.word(index + 1)} {prose.word(index)}"
            return [Edit(prose.starts[index], prose.ends[index + 1], new)]
    return None


# Numbers and names, which nobody can guess


@operation(severity=4, recoverable=False)
def changed_number(prose: Prose, rng: Random) -> list[Edit] | None:
    """Another number, in digits or in words."""
    spelt = prose.places(spelt_numbers)
    if prose.numbers and (not spelt or rng.random() < 0.6):
        start, end = rng.choice(prose.numbers)
        return [Edit(start, end, _other_number(prose.text[start:end], rng))]
    index = _pick_grouped(rng, spelt)
    return None if index is None else [_replace(prose, index, rng.choice(NUMBER_WORDS[prose.lowered[index]]))]


def spelt_numbers(prose: Prose) -> Groups:
    return prose.grouped(NUMBER_WORDS)


def _other_number(number: str, rng: Random) -> str:
    """One or two digits changed, in the script of the number; it gets no leading zero that it had not."""
    digits = list(number)
    for _ in range(1 if len(digits) < 3 or rng.random() < 0.7 else 2):
        place = rng.randrange(len(digits))
        zero = ord(digits[place]) - int(digits[place])
        least = 1 if place == 0 and len(digits) > 1 and digits[0] != chr(zero) else 0
        digits[place] = chr(zero + rng.randint(least, 9))
    return "".join(digits)


_NEVER_NAMES = _words(
    "i i'm i'll i've i'd mr mrs ms dr sir st god monday tuesday wednesday thursday friday saturday sunday january "
    "february march april may june july august september october november december jan feb mar apr jun jul aug sept "
    "sep oct nov dec article chapter section part figure table act scene street road miss father mother sister doctor "
    "english french german chinese japanese korean indian spanish italian portuguese dutch danish swedish norwegian "
    "finnish russian polish turkish greek roman latin arabic american british scottish irish welsh european african "
    "christmas easter sabbath north south east west"
)


def recurring_names(prose: Prose) -> Groups:
    """The names that stand at least twice in a passage where there are two such names.

    A name is a capitalised word, seen inside a sentence at least once and never in small letters.
    """
    small, inside = set(), set()
    capitalised = []
    for index, lowered in enumerate(prose.lowered):
        name = lowered.removesuffix("'s")
        first = prose.text[prose.starts[index]]
        if not first.isupper() or len(name) < 3:
            small.add(name)
        elif name not in _NEVER_NAMES and name.isalpha() and _name(prose, index)[1:].islower():
            capitalised.append(index)
            if prose.spaced(index - 1):
                inside.add(name)
    groups: dict[str, array[int]] = {}
    for index in capitalised:
        name = prose.lowered[index].removesuffix("'s")
        if name in inside and name not in small and name not in OPENERS:
            groups.setdefault(name, array("I")).append(index)
    names = tuple(group for group in groups.values() if len(group) > 1)
    return names if len(names) > 1 else ()


@operation(severity=4, recoverable=False)
def mixed_up_names(prose: Prose, rng: Random) -> list[Edit] | None:
    """One name of the passage in the place of another."""
    names = prose.places(recurring_names)
    if not names:
        return None
    right, wrong = rng.sample(names, 2)
    index = rng.choice(right)
    return [Edit(prose.starts[index], prose.starts[index] + len(_name(prose, index)), _name(prose, wrong[0]))]


def _name(prose: Prose, index: int) -> str:
    return prose.word(index).removesuffix("'s").removesuffix("’s")


# Sentences run together or cut

_SHORTENED = _words("mr mrs ms dr st prof sr jr vs etc no fig vol ch pp cf al inc ltd co gen col capt rev e.g i.e")


def joins(prose: Prose) -> array[int]:
    """The last words of sentences whose next opens, on the same line, with a word that is no name."""
    text = prose.text
    return array(
        "I",
        (
            index
            for index in range(len(prose.lowered) - 1)
            if prose.starts[index + 1] == prose.ends[index] + 2
            and text[prose.ends[index]] == "."
            and text[prose.ends[index] + 1] == " "
            and prose.lowered[index + 1] in OPENERS
            and text[prose.starts[index + 1]].isupper()
            and len(prose.lowered[index]) > 1
            and prose.lowered[index] not in _SHORTENED
            and prose.spaced(index + 1)  # no initial: A. Surette
        ),
    )


@operation(severity=2)
def run_on(prose: Prose, rng: Random) -> list[Edit] | None:
    """The full stop between two sentences and the capital after it are gone."""
    index = pick(rng, prose.places(joins))
    if index is None:
        return None
    end, start = prose.ends[index], prose.starts[index + 1]
    return [Edit(end, start + 1, f" {prose.text[start].lower()}")]


_ENDS_NOTHING = ARTICLES | POSSESSIVES | _words("of to with from into and or was were is are had has very than as at")
_OPENS_NOTHING = _words("of was were is are than itself himself herself themselves")


@operation(severity=2)
def split_sentence(prose: Prose, rng: Random) -> list[Edit] | None:
    """A full stop and a capital where the sentence goes on."""
    for _ in range(_TRIES):
        index = prose.pick_word(rng)
        if index is None:
            return None
        if prose.spaced(index) and (
            prose.lowered[index] in _ENDS_NOTHING or prose.lowered[index + 1] in _OPENS_NOTHING
        ):
            end = prose.ends[index]
            first = prose.text[end + 1]
            if first.islower() and len(first.upper()) == 1:
                return [Edit(end, end + 2, f". {first.upper()}")]
    return None
