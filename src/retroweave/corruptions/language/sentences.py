"""Sentences run together, and sentences cut in two.

Two sentences may make a right one (He left. So she slept; He knew. It was late), and a piece may be one (He said it
was. The noise stopped). A stop goes only where what follows has a verb and a subject of its own and cannot hang on what
stands before, and comes only behind words that end nothing.
"""

from __future__ import annotations

from array import array
from random import Random

from retroweave.corruptions.language.grouped import PRONOUNS, sentence_words
from retroweave.corruptions.lexicon import ARTICLES, PAST_TENSE, PRESENT_TENSE
from retroweave.corruptions.lexicon.tables import words
from retroweave.corruptions.operation import Edit, operation
from retroweave.corruptions.prose import Prose, pick

__all__: list[str] = []

_TRIES = 8


# Run together

_SHORTENED = words("mr mrs ms dr st prof sr jr vs etc no fig vol ch pp cf al inc ltd co gen col capt rev e.g i.e")
_SUBJECTS = PRONOUNS | words(
    "the a an this these those there his her its our their my your nobody everyone nothing something people one two "
    "three some all every each both most many few another"
)
"""Words that open a sentence with its subject. Others (In the end, Because, So) may go on with the one before."""
_TAKES_A_CLAUSE = words(
    "know knew known knows say said says think thought thinks believe believed see saw seen sees feel felt hope hoped "
    "hear heard understand understood tell told remember remembered forgot guess suppose wish mean meant asked ask "
    "afraid glad sure sorry wonder wondered day time year years moment way place reason night morning week month hour "
    "first last best worst only everything all nothing anything something thing things one ones that those before "
    "after since until when while where because if though and but or so"
)
"""Words behind which a clause may follow that needs no word before it: he knew it was late, the day we left."""
_FINITE = (
    PAST_TENSE.keys()
    | PRESENT_TENSE.keys()
    | words("is are was were am has have had do does did can could will would may might must should isn't aren't")
)


def joins(prose: Prose) -> array[int]:
    """The last words of sentences whose next, on the same line, cannot be a part of them."""
    text = prose.text
    return array(
        "I",
        (
            index
            for index in range(len(prose.lowered) - 1)
            if prose.starts[index + 1] == prose.ends[index] + 2
            and text[prose.ends[index]] == "."
            and text[prose.ends[index] + 1] == " "
            and prose.lowered[index + 1] in _SUBJECTS
            and text[prose.starts[index + 1]].isupper()
            and len(prose.lowered[index]) > 1
            and prose.lowered[index] not in _SHORTENED
            and prose.lowered[index] not in _TAKES_A_CLAUSE
            and prose.spaced(index + 1)  # no initial: A. Surette
            and _has_a_verb(prose, index + 1)
        ),
    )


def _has_a_verb(prose: Prose, first: int) -> bool:
    after = sentence_words(prose, first, 12, forward=True)
    return any(word in _FINITE or word.endswith("ed") for word in after)


@operation(severity=2)
def run_on(prose: Prose, rng: Random) -> list[Edit] | None:
    """The full stop between two sentences and the capital after it are gone."""
    index = pick(rng, prose.places(joins))
    if index is None:
        return None
    end, start = prose.ends[index], prose.starts[index + 1]
    first = prose.word(index + 1)
    return [Edit(end, start + 1, f" {first[0] if first == 'I' else first[0].lower()}")]


# Cut in two

_ENDS_NOTHING = ARTICLES | words("my our their its your into and or than very of from with")
_MAY_END = words("where what who whom which that it them")
"""Words that let a preposition end a sentence: the house that he came from."""
_OPENS_NOTHING = words("of were is are than itself himself herself themselves")


@operation(severity=2)
def split_sentence(prose: Prose, rng: Random) -> list[Edit] | None:
    """A full stop and a capital where the sentence goes on."""
    for _ in range(_TRIES * 2):
        index = prose.pick_word(rng)
        if index is None:
            return None
        if prose.spaced(index) and _goes_on(prose, index):
            end = prose.ends[index]
            first = prose.text[end + 1]
            if first.islower() and len(first.upper()) == 1:
                return [Edit(end, end + 2, f". {first.upper()}")]
    return None


def _goes_on(prose: Prose, index: int) -> bool:
    """Whether no sentence can end with a word, or none begin with its next."""
    word, after = prose.lowered[index], prose.lowered[index + 1]
    if word in ("of", "from", "with") and _MAY_END & set(sentence_words(prose, index, 8)):
        return False
    return word in _ENDS_NOTHING or after in _OPENS_NOTHING
