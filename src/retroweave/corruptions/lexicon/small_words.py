"""English words that hold a sentence together, by what they do in it."""

from __future__ import annotations

from retroweave.corruptions.lexicon.tables import each_to_the_others, words

__all__ = [
    "ARTICLES",
    "NEGATORS",
    "NUMBER_WORDS",
    "OPENERS",
    "PLURAL_SUBJECTS",
    "POSSESSIVES",
    "PREPOSITIONS",
    "SINGULAR_SUBJECTS",
    "UNDETERMINED",
]

ARTICLES = words("the a an")
POSSESSIVES = words("my your his its our their her")
PREPOSITIONS = words(
    """
    of to in on at by for with from into onto over under between through across after before against among behind
    beneath beside during inside near toward towards upon within without along around above below up down
    """
)

SINGULAR_SUBJECTS = words(
    """
    he she it this that everyone everybody someone somebody nobody nothing something everything anyone anybody
    """
)
PLURAL_SUBJECTS = words(
    """
    we you they these those people children men women both others many few parents friends animals birds students
    scientists
    """
)

NEGATORS = words(
    """
    not never no nobody nothing nowhere neither nor without hardly scarcely cannot can't couldn't don't doesn't didn't
    won't wouldn't isn't aren't wasn't weren't hasn't haven't hadn't shouldn't mustn't
    """
)
UNDETERMINED = {
    "anything": "nothing", "anyone": "no one", "anybody": "nobody", "anywhere": "nowhere", "any": "no", "ever": "never",
    "either": "neither",
}  # fmt: skip
"""What a negative calls for, and the second negative that people put in its place."""

OPENERS = words(
    """
    the a an he she it they we you this that these those there here his her its their our my your but and or so then
    when while where as if in on at for from with by after before because although though once since until not no some
    all every each both most many few another such now today soon still yet even only perhaps maybe later to of what
    who how why which one two three nothing nobody everyone something people
    """
)
"""Words that open sentences and are no names, so that their capital can be taken away."""

NUMBER_WORDS = each_to_the_others("""
two three four five six seven eight nine ten eleven twelve
thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety
third fourth fifth sixth seventh eighth ninth tenth
hundred thousand million billion
""")
"""A number in words to others of its kind."""
