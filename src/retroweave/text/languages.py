"""In which language a text is, roughly: by its letters, and for Latin ones by its smallest words.

It is made for telling an answer's language from its question's, in no time. It knows eleven languages by their words
and nine scripts, and says nothing of a text that has too little of either: code, numbers, names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["language_of"]

_SMALL = {
    "English": "the and of to is in that it was for with he she they on not this have from be at are",
    "German": "der die das und ist nicht ein eine zu den mit auf sich für von dem des er sie wir im auch",
    "French": "le la les et est une des du que qui dans pas pour sur au avec ce il elle nous vous ne",
    "Spanish": "el los las y es una del que en por con para como su más pero lo al fue este no",
    "Italian": "il di che è un una per non sono con del della gli le ha nel dei anche più come si",
    "Portuguese": "o os as e é um uma do da que em não para com por dos na no mais foi ao se",
    "Dutch": "de het een en van is niet dat op te zijn met voor er ook aan maar hij ze naar bij",
    "Swedish": "och att det som en är på inte för med av till den har jag han hon ett om men",
    "Polish": "i w nie na się że z do jest to jak po co ale od za o tak był który przez",
    "Turkish": "ve bir bu da de için ile çok ne gibi daha ama olan değil mi o en var kadar sonra",
    "Indonesian": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke adalah ada mereka",
}
_OF_WORD: dict[str, list[str]] = {}
for _language, _words in _SMALL.items():
    for _word in _words.split():
        if len(_word) > 1:  # a single letter may be a name, a size or a piece of a patch in any language
            _OF_WORD.setdefault(_word, []).append(_language)

_SCRIPTS = {
    "CYRILLIC": "Cyrillic",
    "GREEK": "Greek",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "DEVANAGARI": "Devanagari",
    "THAI": "Thai",
    "HANGUL": "Korean",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "CJK": "Chinese",
}
_BEYOND_LATIN = re.compile("[\u0370-\u1dff\u2e80-\ud7ff\U00020000-\U0003ffff]")
_LENGTH = 400
"""Characters from the middle of a text that are looked at: its beginning is often a form."""
_FEWEST = 12
"""Words, below which nothing is said."""
_DIFFERENT = 3
"""So many different small words of a language there must be: one that comes often may be a name, or code."""
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """The language, or the script where that is all that is known; None where it cannot be told."""
    start = max(0, (len(text) - _LENGTH) // 2)
    part = text[start : start + _LENGTH]
    if not part.isascii() and _BEYOND_LATIN.search(part) and (script := _script_of(part)):
        return script
    words = _WORD.findall(part.lower())
    if len(words) < _FEWEST:
        return None
    votes: dict[str, list[str]] = {}
    for word in words:
        for language in _OF_WORD.get(word, ()):
            votes.setdefault(language, []).append(word)
    return _clear(votes, len(words))


def _clear(votes: Mapping[str, Sequence[str]], words: int) -> str | None:
    """The first, where it has one word in seven and half as many again as the next."""
    ranked = sorted(votes, key=lambda language: len(votes[language]))
    if not ranked or len(set(votes[ranked[-1]])) < _DIFFERENT:
        return None
    count, second = len(votes[ranked[-1]]), len(votes[ranked[-2]]) if len(ranked) > 1 else 0
    return ranked[-1] if 7 * count >= words and count >= 1.5 * second else None


def _script_of(text: str) -> str | None:
    """The script of most letters, unless it is Latin; kana among Chinese characters make Japanese."""
    letters = [char for char in text if char.isalpha()]
    beyond = Counter(_SCRIPTS.get(unicodedata.name(char, "").partition(" ")[0]) for char in letters if char > "ͯ")
    del beyond[None]
    if not letters or 2 * beyond.total() < len(letters):
        return None
    if beyond["Japanese"] and beyond["Japanese"] + beyond["Chinese"] > beyond.total() / 2:
        return "Japanese"
    return beyond.most_common(1)[0][0]
