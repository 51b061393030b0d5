"""Damage to language: wrong words, wrong forms, words missing, doubled or in the wrong order, sentences badly cut.

The operations rest on word lists and on the words beside, not on a parser, and so they keep to places where the mistake
is plain: the damaged sentence is no longer right English, or the text around shows that it says the wrong thing, and a
careful reader can tell what stood there. They know English only. What may act where is found once for a passage and
grouped by word, so that "their" is met as often as "to".
"""

from retroweave.corruptions.language import facts, negatives, sentences, verbs, word_order, wrong_words

__all__ = ["facts", "negatives", "sentences", "verbs", "word_order", "wrong_words"]
