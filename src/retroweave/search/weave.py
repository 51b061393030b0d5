"""Weave: a tree of partial texts, of which the most promising are gone on with, until the tokens are used up.

It is here because a judge can often tell a bad text by its beginning. Best-of-n pays for each text to its end before it
asks; a tree pays for a few tokens, asks, and goes on where it is worth it. The idea is that of Weave in MiniHF.
Drawing without replacement by perturbed scores is the Gumbel top-k trick of Kool, van Hoof and Welling, "Stochastic
Beams and Where to Find Them" (2019).

How a draw is made. Each candidate, a text with the judge's score s, gets a perturbed score s + T g, where T is the
temperature and g is standard Gumbel noise, new for each draw. The k highest are drawn. That is the same as drawing one
after the other, without putting back, each time with

    p(text) = exp(s / T) / sum of exp(s' / T) over the candidates that are left;

at T = 0 it is the k best, and among equals the deepest. The search draws three times:

- which open leaves to go on with, `beam` of them in each round;
- which leaf to commit to, where `commit` asks for it: then the branch of the committed node that leads to it is the new
  committed node, so a branch is taken with the sum of its leaves' probabilities, and what lies beside it is left;
- which texts to give back, `wanted` of them: of those that have ended, if any have, and else of all leaves.

All three hold exactly, given the tree at that moment. The tree itself is a sample of what the model writes: where it
was wholly grown, the texts follow exp(s / T) over all that it could hold, and else over those that were paid for.
MiniHF keeps a node's noise for life. With new noise the law above holds whatever was paid for, and a branch that was
unlucky once has another chance; in scripted searches the best texts were as good or better. The price is that at a high
temperature the search goes less far, and may end before any text does.

It knows no models: what writes and what judges are two functions that are given to it. It does not try again where one
of them fails, and counts no tokens but those that are written.
"""

from __future__ import annotations

import heapq
import math
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeAlias

from retroweave.pipeline.errors import UserError

__all__ = ["Expander", "Node", "Piece", "Scorer", "Tree", "Weave", "weave"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One continuation of a text, as a model wrote it."""

    text: str
    end: bool
    """Whether the model ended by itself; where it was cut off, the text can go on."""
    tokens: int
    """What it cost: at most the settings' `lookahead`."""


Expander: TypeAlias = Callable[[Sequence[str], int], Awaitable[Sequence[Sequence[Piece]]]]
"""Continuations of each text, in the order of the texts: as many for each as the number says, or fewer."""
Scorer: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[float]]]
"""How good each text is so far: from 0 to 1, a logit, or any finite number that is higher for a better text."""


@dataclass(frozen=True, slots=True)
class Weave:
    """How to search."""

    budget: int
    """The most tokens that the model may write, in all; those that it reads are not counted here. Continuations are
    asked for only while they would fit if each took `lookahead` tokens, so it is never exceeded."""
    lookahead: int = 32
    """The most tokens of one continuation: how far the model writes before the judge is asked. `expand` sees to it."""
    width: int = 4
    """How many continuations a text gets."""
    beam: int = 2
    """How many texts are gone on with in one round. They are sent together, and so are their judgements."""
    rounds: int = 16
    """The most rounds; no text has more pieces than there were rounds."""
    temperature: float = 0.05
    """In units of the score. 0 always goes on with the best; for scores between 0 and 1, at 0.05 a text that is better
    by 0.1 is seven times as likely to be drawn, and at 1 the judge is hardly heard."""
    commit: int = 0
    """After so many rounds, each time, one more piece is settled and the search goes on from there: for long texts, in
    which early pieces are soon beyond doubt. 0 settles nothing before the end."""
    wanted: int = 1
    """How many texts to give back."""

    def __post_init__(self) -> None:
        for name in ("budget", "lookahead", "width", "beam", "rounds", "wanted"):
            _at_least(1, name, getattr(self, name))
        _at_least(0, "commit", self.commit)
        if not 0 <= self.temperature < math.inf:
            raise UserError(f"Weave's temperature is a number of 0 or more, not {self.temperature}.")
        if self.budget < self.lookahead:
            raise UserError(
                f"A budget of {self.budget} tokens does not pay for one continuation of {self.lookahead}: "
                "raise Weave's budget or lower its lookahead."
            )


@dataclass(frozen=True, slots=True)
class Node:
    """A partial text: the text of its parent and a piece more."""

    parent: int | None
    """Where its parent stands in the tree's nodes; `None` for the first, which is the start."""
    text: str
    """The piece alone; of the start, nothing."""
    tokens: int = 0
    end: bool = False
    score: float | None = None
    """The judge's, for the text as far as this piece; the start has none."""
    perturbed: float | None = None
    """The score with noise by which it was last drawn or passed over, if it ever was a candidate."""
    expanded: int | None = None
    """The round, counted from 1, in which it was gone on with."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A search when it is over."""

    start: str
    nodes: tuple[Node, ...]
    """In the order in which they were made, so that a parent stands before its children."""
    chosen: tuple[int, ...]
    """The texts that were drawn in the end, by their last nodes, the first drawn first. At least one."""
    committed: int
    """The node that the search last settled on; 0, the start, if on none."""
    budget: int
    spent: int
    """The tokens of all continuations, those included that said again what stood there and have no node."""
    rounds: int

    def path(self, node: int) -> list[int]:
        """The nodes from the start to this one."""
        path = [node]
        while (parent := self.nodes[path[-1]].parent) is not None:
            path.append(parent)
        return path[::-1]

    def text(self, node: int) -> str:
        """What was written after the start, as far as this node."""
        return "".join(self.nodes[step].text for step in self.path(node))

    @property
    def texts(self) -> list[str]:
        """What was written after the start in each of the chosen texts."""
        return [self.text(node) for node in self.chosen]

    def as_json(self) -> dict[str, Any]:
        """The tree as JSON values, to be kept with a row: all but the start, which the row has already.

        Each piece stands in it once, so it is no longer than what the model wrote and some hundred bytes a node.
        """
        return {
            "budget": self.budget,
            "spent": self.spent,
            "rounds": self.rounds,
            "committed": self.committed,
            "chosen": list(self.chosen),
            "nodes": [_node_as_json(node) for node in self.nodes],
        }


async def weave(start: str, expand: Expander, score: Scorer, settings: Weave, rng: Random) -> Tree:
    """Search for texts that begin with `start`, and draw `settings.wanted` of them.

    The result depends on the settings, the state of `rng` and what the two functions answer, and on nothing else: they
    are asked one after the other, in a fixed order. `UserError` where one of them answers what it was not asked for.
    """
    search = _Search(start, settings, rng)
    for number in range(1, settings.rounds + 1):
        leaves, count = search.draw_open()
        if not leaves:
            break
        answers = await expand([search.texts[leaf] for leaf in leaves], count)
        new = search.grow(number, leaves, count, answers)
        if new:
            search.grade(new, await score([search.texts[node] for node in new]))
        if settings.commit and number % settings.commit == 0:
            search.commit()
    return search.tree()


class _Search:
    """A tree while it grows."""

    def __init__(self, start: str, settings: Weave, rng: Random) -> None:
        self.settings = settings
        self.rng = rng
        self.nodes = [Node(None, "")]
        self.texts = [start]
        """Of each node, the whole text."""
        self.depths = [0]
        self.leaves = {0: None}
        """The nodes with no children, but for those beside the committed path, in the order in which they were made."""
        self.seen = {(start, False)}
        """The whole texts that have a node, and whether they end, but for those beside the committed path."""
        self.committed = 0
        self.spent = 0
        self.rounds = 0

    def draw_open(self) -> tuple[list[int], int]:
        """The leaves to go on with, and how many continuations of each the rest of the budget pays for."""
        affordable = (self.settings.budget - self.spent) // self.settings.lookahead
        count = min(self.settings.width, affordable)
        if not count:
            return [], 0
        is_open = (leaf for leaf in self.leaves if not self.nodes[leaf].end and self.nodes[leaf].expanded is None)
        return self._draw(is_open, min(self.settings.beam, affordable // count)), count

    def grow(self, number: int, leaves: Sequence[int], count: int, answers: Sequence[Sequence[Piece]]) -> list[int]:
        """Add what was written to the tree, and give back the new nodes."""
        _one_for_each("expand", "list of continuations", leaves, answers)
        for pieces in answers:
            self._pay(pieces, count)
        self.rounds = number
        return [node for leaf, pieces in zip(leaves, answers, strict=True) for node in self._children(leaf, pieces)]

    def grade(self, new: Sequence[int], scores: Sequence[float]) -> None:
        _one_for_each("score", "score", new, scores)
        for node, score in zip(new, scores, strict=True):
            if not math.isfinite(score):
                raise UserError(
                    f"Weave's `score` must give a finite number for each text, and gave {score} for one that ends in "
                    f"{self.texts[node][-60:]!r}. Give a text that cannot be judged a low score."
                )
            self.nodes[node] = replace(self.nodes[node], score=float(score))

    def commit(self) -> None:
        """Settle on the next piece of a text that is drawn, and leave what lies beside it."""
        [leaf] = self._draw(self.leaves, 1)
        path = self._path(leaf)
        if len(path) > 1:
            self.committed = path[1]
            kept = [node for node in range(len(self.nodes)) if self.committed in self._path(node)]
            self.leaves = {node: None for node in kept if node in self.leaves}
            self.seen = {(self.texts[node], self.nodes[node].end) for node in kept}

    def tree(self) -> Tree:
        ended = [leaf for leaf in self.leaves if self.nodes[leaf].end]
        chosen = tuple(self._draw(ended or self.leaves, self.settings.wanted))
        return Tree(
            self.texts[0], tuple(self.nodes), chosen, self.committed, self.settings.budget, self.spent, self.rounds
        )

    def _draw(self, candidates: Iterable[int], count: int) -> list[int]:
        """Draw without replacement, by the scores with noise on them."""
        # The noise is scaled up, and not the score divided, so that a temperature of 0 or next to it is none apart.
        perturbed = {
            node: (self.nodes[node].score or 0.0) + self.settings.temperature * _gumbel(self.rng) for node in candidates
        }
        for node, value in perturbed.items():
            self.nodes[node] = replace(self.nodes[node], perturbed=value)
        return heapq.nsmallest(count, perturbed, key=lambda node: (-perturbed[node], -self.depths[node], node))

    def _pay(self, pieces: Sequence[Piece], count: int) -> None:
        if len(pieces) > count:
            raise UserError(f"Weave asked `expand` for {count} continuations of a text, and got {len(pieces)}.")
        for piece in pieces:
            if not 0 <= piece.tokens <= self.settings.lookahead:
                raise UserError(
                    f"A continuation is said to have {piece.tokens} tokens, where Weave's lookahead allows "
                    f"{self.settings.lookahead}: ask the model for no more than that."
                )
            self.spent += piece.tokens

    def _children(self, leaf: int, pieces: Iterable[Piece]) -> list[int]:
        """The new nodes; a text that the tree holds already is no other text, and would be drawn twice as often."""
        self.nodes[leaf] = replace(self.nodes[leaf], expanded=self.rounds)
        first = len(self.nodes)
        for piece in pieces:
            text = self.texts[leaf] + piece.text
            if (text, piece.end) not in self.seen:
                self.seen.add((text, piece.end))
                self.leaves[len(self.nodes)] = None
                self.nodes.append(Node(leaf, piece.text, piece.tokens, piece.end))
                self.texts.append(text)
                self.depths.append(self.depths[leaf] + 1)
        if len(self.nodes) > first:
            del self.leaves[leaf]
        return list(range(first, len(self.nodes)))

    def _path(self, node: int) -> list[int]:
        """The nodes from the committed one to this one; or from the start, where this one lies beside."""
        path = [node]
        while path[-1] != self.committed and (parent := self.nodes[path[-1]].parent) is not None:
            path.append(parent)
        return path[::-1]


def _gumbel(rng: Random) -> float:
    """Standard Gumbel noise. The bound holds off the one value in 2^53 that has no logarithm."""
    return -math.log(max(rng.expovariate(1.0), sys.float_info.min))


def _one_for_each(function: str, what: str, asked: Sequence[int], answers: Sequence[Any]) -> None:
    if len(asked) != len(answers):
        raise UserError(
            f"Weave's `{function}` must give one {what} for each text, and gave {len(answers)} for {len(asked)}."
        )


def _at_least(least: int, name: str, value: Any) -> None:
    if not isinstance(value, int) or value < least:
        raise UserError(f"Weave's {name} is a whole number of {least} or more, not {value!r}.")


def _node_as_json(node: Node) -> dict[str, Any]:
    """What holds of this node; what does not is left out."""
    found: dict[str, Any] = {"parent": node.parent, "text": node.text, "tokens": node.tokens}
    if node.end:
        found["end"] = True
    if node.score is not None:
        found["score"] = round(node.score, 4)
    if node.perturbed is not None:
        found["perturbed"] = round(node.perturbed, 4)
    if node.expanded is not None:
        found["expanded"] = node.expanded
    return found
