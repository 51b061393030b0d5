"""The English word lists that damage to language rests on. No rules here, only words and how they belong together."""

from retroweave.corruptions.lexicon.frames import NEEDED, OF_A_WHOLE, Frame
from retroweave.corruptions.lexicon.small_words import (
    ARTICLES,
    NEGATORS,
    NUMBER_WORDS,
    OPENERS,
    PLURAL_SUBJECTS,
    POSSESSIVES,
    PREPOSITIONS,
    SINGULAR_SUBJECTS,
    UNDETERMINED,
)
from retroweave.corruptions.lexicon.sounds import CONFUSED_WORDS, HOMOPHONES
from retroweave.corruptions.lexicon.verbs import (
    ALWAYS_PAST,
    BASE_AND_THIRD,
    PAST_TENSE,
    PRESENT_TENSE,
    REPORTS,
    STATES,
)

__all__ = [
    "ALWAYS_PAST",
    "ARTICLES",
    "BASE_AND_THIRD",
    "CONFUSED_WORDS",
    "HOMOPHONES",
    "NEEDED",
    "NEGATORS",
    "NUMBER_WORDS",
    "OF_A_WHOLE",
    "OPENERS",
    "PAST_TENSE",
    "PLURAL_SUBJECTS",
    "POSSESSIVES",
    "PREPOSITIONS",
    "PRESENT_TENSE",
    "REPORTS",
    "SINGULAR_SUBJECTS",
    "STATES",
    "UNDETERMINED",
    "Frame",
]
