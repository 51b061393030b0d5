"""A tree of partial texts as a person reads it: what was chosen from top to bottom, and beside it what was not.

It is here because a search is judged by what it passed over. The drawing is a nested list and no picture, since pieces
of text want to be wrapped, selected and read aloud. The trunk is the best path. At each piece the other continuations
stand beside it, further in, each with its score and, where it was gone on with, a trunk of its own. So indentation
tells how often a text turned away from the best one, and not how long it is.

No script runs in it and every text in it is text. How it looks is in `tree.css`: by the colours of the page or, where
it has none, by that of its text. It knows a tree only as the JSON that stands in a row's provenance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from retroweave.export.excerpt import shorten, visible
from retroweave.pipeline.errors import UserError

__all__ = ["tree_drawing"]

_MOST = 40
_LONGEST_PIECE = 320
_LEADING = re.compile(r"\s*")


def tree_drawing(tree: Mapping[str, Any], start: str = "") -> Markup:
    """The tree as HTML: `tree` as `Tree.as_json` gives it, and the text that it began with.

    At most some forty nodes are drawn: the chosen paths, then what stood beside them, then the other paths, the best
    first. The others are counted where they would stand. `UserError` where the nodes make no tree.
    """
    drawn = _Drawing(tree)
    items = Markup("").join(drawn.items(0))
    return Markup('<figure class="tree">\n<figcaption>{}</figcaption>\n<ol>\n{}{}</ol>\n</figure>').format(
        drawn.caption(), _start(start), items
    )


def _start(text: str) -> Markup:
    words = _shown(text) if text.strip() else "the start"
    return Markup('<li class="piece chosen start"><div class="row"><span class="score"></span>{}</div></li>\n').format(
        Markup('<span class="text">{}</span>').format(words)
    )


@dataclass(frozen=True)
class _Leaf:
    """The end of a path, to be put in order: the chosen first, then what ended, then by score."""

    rank: tuple[int, bool, float, int]
    node: int


class _Drawing:
    """A tree, with what of it is shown."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree = tree
        self.nodes: Sequence[Mapping[str, Any]] = tree["nodes"]
        self.parents = [_parent(place, node) for place, node in enumerate(self.nodes)]
        self.chosen: Sequence[int] = tree["chosen"]
        for node in (tree["committed"], *self.chosen):
            if not 0 <= node < len(self.nodes):
                raise UserError(f"A search of {len(self.nodes)} nodes, counted from 0, has no node {node}.")
        self.committed = set(self.path(tree["committed"]))
        self.on_chosen = {node for leaf in self.chosen for node in self.path(leaf)}
        self.shown = self._shown()

    def path(self, node: int) -> list[int]:
        """The nodes from the start to this one."""
        path = [node]
        while path[-1]:
            path.append(self.parents[path[-1]])
        return path[::-1]

    def caption(self) -> str:
        count, ended = len(self.nodes) - 1, sum(bool(node.get("end")) for node in self.nodes)
        rounds = f"{self.tree['rounds']:,} round{'s' * (self.tree['rounds'] != 1)}"
        hidden = len(self.nodes) - len(self.shown)
        return (
            f"{count:,} partial texts in {rounds}, {ended:,} of them whole, for {self.tree['spent']:,} of "
            f"{self.tree['budget']:,} tokens. A score is the judge's for the text as far as that piece."
            + (f" {hidden:,} of the texts are counted and not shown." if hidden else "")
        )

    def items(self, node: int) -> Iterator[Markup]:
        """What stands below a node in its list: the other continuations, each further in, and then the best one."""
        while True:
            ranked = sorted(self.children[node], key=self._rank)
            line = self._line(ranked[0]) if ranked else ""
            for other in ranked[1:]:
                yield _aside(line, other in self.on_chosen, Markup("").join([self._item(other), *self.items(other)]))
            if self.hidden[node]:
                yield _more(line, self._count(self.hidden[node]))
            if not ranked:
                return
            if gap := len(self.path(ranked[0])) - len(self.path(node)) - 1:
                yield _more(line, f"{gap:,} pieces left out")
            yield self._item(ranked[0])
            node = ranked[0]

    @cached_property
    def children(self) -> list[list[int]]:
        """Of each node, the shown nodes whose nearest shown ancestor it is."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in sorted(self.shown - {0}):
            found[self._above(node)].append(node)
        return found

    @cached_property
    def hidden(self) -> list[list[int]]:
        """Of each shown node, what is not shown below it; what is left out between two that are is not among it."""
        between = {step for node in self.shown for step in self.path(node)}
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in range(len(self.nodes)):
            if node not in between:
                found[self._above(node)].append(node)
        return found

    @cached_property
    def leaves(self) -> list[_Leaf]:
        """The ends of all paths, the best first."""
        inner = set(self.parents[1:])
        return sorted(
            (self._leaf(node) for node in range(len(self.nodes)) if node not in inner), key=lambda one: one.rank
        )

    def _leaf(self, node: int) -> _Leaf:
        place = self.chosen.index(node) if node in self.chosen else len(self.chosen)
        found = self.nodes[node]
        return _Leaf((place, not found.get("end"), -(found.get("score") or 0.0), node), node)

    def _shown(self) -> set[int]:
        """The best path, in the middle of which pieces are left out where it is very long, and the rest as it fits."""
        first = self.path(self.leaves[0].node)
        shown = set(first) if len(first) <= _MOST else {*first[: _MOST // 2], *first[-_MOST // 2 :]}
        for path in self._paths():
            if len(shown | path) <= _MOST:
                shown |= path
        return shown

    def _paths(self) -> Iterator[set[int]]:
        """What is to be shown, in the order of its worth to a reader."""
        for leaf in self.chosen:
            yield set(self.path(leaf))
        beside = [node for node in range(1, len(self.nodes)) if self.parents[node] in self.on_chosen]
        for node in sorted(beside, key=self._rank):
            yield set(self.path(node))
        for found in self.leaves:
            yield set(self.path(found.node))

    @cached_property
    def _ranks(self) -> dict[int, int]:
        """Of each node, the place of the best leaf that it leads to."""
        found: dict[int, int] = {}
        for place, leaf in enumerate(self.leaves):
            for node in self.path(leaf.node):
                found.setdefault(node, place)
        return found

    def _rank(self, node: int) -> int:
        return self._ranks[node]

    def _above(self, node: int) -> int:
        above = self.parents[node]
        while above not in self.shown:
            above = self.parents[above]
        return above

    def _line(self, node: int) -> str:
        """How the line to a node is drawn."""
        return "chosen committed" if node in self.committed else "chosen" if node in self.on_chosen else ""

    def _item(self, node: int) -> Markup:
        found = self.nodes[node]
        kinds = ["piece", self._line(node), "end" if found.get("end") else ""]
        return Markup('<li class="{}"{}><div class="row">{}<span class="text">{}{}</span></div></li>\n').format(
            " ".join(filter(None, kinds)), _title(found), self._score(found), _shown(found["text"]), self._notes(node)
        )

    def _score(self, found: Mapping[str, Any]) -> Markup:
        score = found.get("score")
        if score is None:
            return Markup('<span class="score"></span>')
        low, high = self._range
        share = 100 * (score - low) / (high - low) if high > low else 100
        return Markup('<span class="score">{:.2f}<i style="width: {:.0f}%"></i></span>').format(score, share)

    @cached_property
    def _range(self) -> tuple[float, float]:
        """What a bar's length is measured by: 0 to 1 where all scores are, and else the lowest and the highest."""
        scores = [node["score"] for node in self.nodes if node.get("score") is not None]
        return (0.0, 1.0) if all(0 <= score <= 1 for score in scores) else (min(scores), max(scores))

    def _notes(self, node: int) -> Markup:
        notes = ["ends here"] if self.nodes[node].get("end") else []
        if node in self.chosen:
            several = len(self.chosen) > 1
            notes.append(f"chosen, number {self.chosen.index(node) + 1}" if several else "chosen")
        return Markup(" <small>({})</small>").format(", ".join(notes)) if notes else Markup("")

    def _count(self, hidden: Sequence[int]) -> str:
        scores = [self.nodes[node]["score"] for node in hidden if self.nodes[node].get("score") is not None]
        best = f", the best at {max(scores):.2f}" if scores else ""
        return f"{len(hidden):,} more{best}"


def _parent(place: int, node: Mapping[str, Any]) -> int:
    """The parent of a node, of which the start is its own."""
    parent = node["parent"]
    if place == 0 and parent is None:
        return 0
    if not isinstance(parent, int) or not 0 <= parent < place:
        raise UserError(
            f"The nodes of a search make no tree: node {place} must name one before it as its parent, not {parent!r}."
        )
    return parent


def _more(line: str, text: str) -> Markup:
    return Markup('<li class="more {}">{}</li>\n').format(line, text)


def _aside(line: str, is_chosen: bool, items: Markup) -> Markup:
    return Markup('<li class="aside {}"><ol>\n{}</ol></li>\n').format(line + " towards" * is_chosen, items)


def _title(node: Mapping[str, Any]) -> Markup:
    said = [f"{node['tokens']:,} token{'s' * (node['tokens'] != 1)}"]
    if node.get("perturbed") is not None:
        said.append(f"{node['perturbed']:.2f} with noise")
    if node.get("expanded") is not None:
        said.append(f"gone on with in round {node['expanded']}")
    return Markup(' title="{}"').format("; ".join(said))


def _shown(text: str) -> str:
    """A piece fit to be read: of the space before it, only how many lines it begins further down."""
    space = _LEADING.match(text)
    lead = "↵" * text[: space.end() if space else 0].count("\n")
    head, left_out, tail = shorten(visible(text.strip()), _LONGEST_PIECE)
    words = f"{head}… ({left_out:,} characters) …{tail}" if left_out else head
    return " ".join(filter(None, [lead, words])) or "(nothing)"
