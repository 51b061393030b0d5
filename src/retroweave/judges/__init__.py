"""Judges: what accepts or rejects a row where no program can be sure of it.

Each is the function of a `judge` step and answers with a `Score`: how sure it is, whether that is enough, and what the
number was made from. `yes_no` puts one question to a model, `rubric` many; `classifier` and `similarity` look at
embeddings or at words; `all_of`, `any_of` and `weighted` make one judge of several. `calibration` holds a judge's
scores against what people said of the same rows.

A judge raises a field to *judged* and no further, however sure it is. Nothing here writes a field or decides what a row
is worth.
"""
