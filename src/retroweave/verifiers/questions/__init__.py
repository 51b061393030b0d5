"""Questions with yes or no for an answer, which a program knows.

A *family* asks one kind of question: is there a comma, does this word come before that one, how many words are there.
Each gives questions of both answers about a text, with a reason, and each is answered a second time, by other means
(`again`), before anybody learns from it. What people would read in two ways is not asked: a family looks at a text by
several definitions of a word or a sentence, and where their answers differ there is no question.

    reading     a text, its sentences and words, where all readings agree
    family      what a family is, and the two questions in contrast that it gives about a passage
    counts, presence, order, sentences, letters, numbers, grammar, marks, sounds     the families
    again       the second answers, which share no code with the first
    words       the phrasings of each family's question, and of its reasons
"""
