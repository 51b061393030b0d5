"""Verbs in a form that is wrong where they stand: with their subject, or among the verbs around.

A form that is wrong in one sentence is right in the next: if he were, they ask that he come, she says that he came, his
name is Tom. So a verb is left alone where a wish, a demand, a clause of its own or a state that may last could carry
the other form, and a tense slips only between verbs that show the right one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from random import Random

from retroweave.corruptions.language.grouped import (
    COORDINATORS,
    OPENS_A_CLAUSE,
    PRONOUNS,
    Groups,
    pick_grouped,
    replaced,
    sentence_words,
)
from retroweave.corruptions.lexicon import (
    ALWAYS_PAST,
    ARTICLES,
    BASE_AND_THIRD,
    PAST_TENSE,
    PLURAL_SUBJECTS,
    POSSESSIVES,
    PREPOSITIONS,
    PRESENT_TENSE,
    REPORTS,
    SINGULAR_SUBJECTS,
    STATES,
)
from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose

__all__: list[str] = []


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
_BASES = {third: base for base, third in BASE_AND_THIRD}
_WISH = words("if though as wish wishes wished suppose supposing unless lest whether would rather")
_DEMAND = re.compile(r"(?:insist|demand|ask|requir|request|recommend|suggest|propos|order|urg|prefer|rul|mov|lest)")
_COUNTS_OTHERS = words("of than or nor neither each every")
"""Words between which a plural may stand that is not the subject: one of these is, more than many say."""
_ALSO_NOUNS = words("needs looks works hopes tries uses runs holds stands loves sleeps moves thinks reads finds means")
_QUANTITIES = words("both many few others these those")
_REACH = 8


def agreement_places(prose: Prose) -> Groups:
    """Verbs whose subject stands right before them and agrees with them."""
    lowered = prose.lowered
    found = (
        index
        for index in range(1, len(lowered))
        if lowered[index] in _WRONG_VERB.get(lowered[index - 1], ())
        and prose.spaced(index - 1)
        and _disagreement_shows(prose, index)
    )
    return prose.grouped(set(lowered), found)


def _disagreement_shows(prose: Prose, index: int) -> bool:
    """Whether the other form could not be right: no wish, no demand, and no subject but the word before."""
    subject, verb = prose.lowered[index - 1 : index + 1]
    before = sentence_words(prose, index - 1, _REACH)
    if subject in PLURAL_SUBJECTS:
        noun = subject in _QUANTITIES and _WRONG_VERB[subject][verb] in _ALSO_NOUNS
        return not noun and not _COUNTS_OTHERS & set(before[:3])
    if subject == "that" and before and before[0] not in COORDINATORS:
        return False  # the men that have: its noun stands before
    if verb in ("was", "wasn't"):
        return not _WISH & set(before)
    return not (verb in _BASES and any(map(_DEMAND.match, before)))


@operation(severity=3)
def wrong_agreement(prose: Prose, rng: Random) -> list[Edit] | None:
    """The verb no longer agrees: they was, she have, it do."""
    index = pick_grouped(rng, prose.places(agreement_places))
    if index is None:
        return None
    subject, verb = prose.lowered[index - 1 : index + 1]
    return [replaced(prose, index, _WRONG_VERB[subject][verb])]


# Tense

_BEFORE_PARTICIPLES = words(
    "have has had having be been being was were is are am get got gets not i've we've you've they've he'd she'd it's"
)
_AFTER_PARTICIPLES = words("by of")
_PAST_OR_PRESENT = PAST_TENSE.keys() | PRESENT_TENSE.keys()
_TENSE_REACH = 250
"""How far in characters another verb may stand to show the tense of this one."""
_OPENS_A_SUBJECT = POSSESSIVES | {"the"}
_NO_PARTICIPLES = words(
    "was were had did went came took gave knew became began chose drew drank drove ate fell flew forgot grew hid rode "
    "ran shook sang sank spoke stole swam threw woke wore wrote"
)
"""Past forms that cannot be read as “the boy called Tom”."""
_SHARED_REACH = 12
"""How many words a verb may stand from the one whose subject it shares."""
_AT_ANY_TIME = words("always often usually sometimes still never ever every each today nowadays now")
"""Words of a sentence that a present form may go by, among verbs of the past."""
_NOT_IN_S = words("people police cattle men women children folk")
_SENTENCE_MARKS = ".!?;:"
_SPEECH = re.compile(r"[\"“”‘«»]|’(?!\w)")


def tense_places(prose: Prose) -> Groups:
    """Main verbs of the list between two listed verbs of the same tense, close by, so that a slip shows."""
    verbs = [index for index, word in enumerate(prose.lowered) if word in _PAST_OR_PRESENT and _is_finite(prose, index)]
    shown = (
        verb
        for before, verb, after in zip(verbs, verbs[1:], verbs[2:], strict=False)
        if _tense_shows(prose, before, verb, after) and _slip_shows(prose, before, verb, after)
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
    if OPENS_A_CLAUSE & set(sentence_words(prose, verb, _REACH)) or _subject(prose, verb) is None:
        return False
    stretches = prose.text[starts[before] : starts[verb]], prose.text[starts[verb] : starts[after]]
    return not any(len(_SPEECH.findall(stretch)) % 2 or "\n\n" in stretch for stretch in stretches)


def _slip_shows(prose: Prose, before: int, verb: int, after: int) -> bool:
    """Whether the other tense could not be right among these verbs.

    An event of the past cannot be in the present. A state may last, and much of the past is told by the way in the
    present; they cannot where one subject has two verbs of two tenses: she was tired and goes home.
    """
    word = prose.lowered[verb]
    around = {*sentence_words(prose, verb, 40), *sentence_words(prose, verb, 40, forward=True)}
    past = word in PAST_TENSE
    if word in REPORTS or around & (_AT_ANY_TIME if past else ALWAYS_PAST) or any(map(str.isdecimal, around - {""})):
        return past and word not in REPORTS | STATES and not around & _AT_ANY_TIME
    if past and word not in STATES:
        return True
    shared = _joined(prose, before, verb) or _joined(prose, verb, after)
    return shared and (past or (word not in STATES and _joined(prose, before, verb)))


def _joined(prose: Prose, first: int, second: int) -> bool:
    """Whether two verbs share a subject: went in and sat."""
    between = prose.text[prose.ends[first] : prose.starts[second]]
    if prose.lowered[second - 1] not in ("and", "but", "or") or any(mark in between for mark in _SENTENCE_MARKS):
        return False
    inside = set(prose.lowered[first + 1 : second - 1])
    return not inside & (OPENS_A_CLAUSE | COORDINATORS | PRONOUNS - {"it", "you"})


def _is_finite(prose: Prose, index: int) -> bool:
    """Whether a verb form is no participle and no wish (if I were), as far as the words beside it tell."""
    lowered = prose.lowered
    before = lowered[index - 1] if index else ""
    after = lowered[index + 1] if index + 1 < len(lowered) else ""
    if lowered[index] in ("has", "had") and after not in ARTICLES | POSSESSIVES:
        return False  # has been and had been are both at home where it was and where it is
    if lowered[index] == "were" and before in SINGULAR_SUBJECTS | {"i"}:
        return False
    return before not in _BEFORE_PARTICIPLES and before not in ARTICLES and after not in _AFTER_PARTICIPLES


@operation(severity=3)
def tense_slip(prose: Prose, rng: Random) -> list[Edit] | None:
    """One verb in another tense than those before and after it."""
    index = pick_grouped(rng, prose.places(tense_places))
    if index is None:
        return None
    verb = prose.lowered[index]
    return [replaced(prose, index, PRESENT_TENSE.get(verb) or _present(prose, index, verb))]


def _subject(prose: Prose, verb: int) -> str | None:
    """The word that shows the number of the subject of a main verb: he, they, sails; None where it is not plain.

    A pronoun must open its clause: in “the noise it makes” and “he says it is” the clause goes its own way.
    """
    lowered = prose.lowered
    before = lowered[verb - 1]
    if not prose.spaced(verb - 1):
        return None
    if before in COORDINATORS:
        return _shared_subject(prose, verb)
    if before in PRONOUNS:
        opens = verb < 2 or not prose.spaced(verb - 2) or lowered[verb - 2] in COORDINATORS
        return before if opens else None
    named = verb > 2 and lowered[verb - 2] in _OPENS_A_SUBJECT and lowered[verb - 3] not in PREPOSITIONS
    return before if named and before not in _NOT_IN_S and lowered[verb] in _NO_PARTICIPLES else None


def _shared_subject(prose: Prose, verb: int) -> str | None:
    """The pronoun of the verb to which “and” joins this one."""
    for other in range(verb - 2, max(0, verb - 2 - _SHARED_REACH), -1):
        if any(mark in prose.between(other, other + 1) for mark in _SENTENCE_MARKS):
            return None
        if prose.lowered[other] in _PAST_OR_PRESENT:
            return prose.lowered[other - 1] if prose.lowered[other - 1] in PRONOUNS else None
    return None


def _present(prose: Prose, index: int, verb: str) -> str:
    """The present form that goes with the subject: I am, they go, the sails go, she goes."""
    base, third = PAST_TENSE[verb]
    subject = _subject(prose, index) or ""
    if subject == "i" and verb == "was":
        return "am"
    named = len(subject) > 4 and subject.endswith("s") and not subject.endswith(("ss", "us", "is"))
    return base if named or subject in PLURAL_SUBJECTS or subject == "i" else third
