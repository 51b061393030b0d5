"""Syntax bugs: what the interpreter refuses to read. Of each site the result must not parse."""

from __future__ import annotations

import ast
import keyword
import re
import tokenize
from collections.abc import Iterator

from retroweave.corruptions.bugs.site import Site, Sites, change, operator, removed
from retroweave.corruptions.code import Code, Span, Token

__all__: list[str] = []

_NEVER = "Python refuses the file with a SyntaxError before anything runs."
_INDENTATION = "Python refuses the file with an IndentationError before anything runs."
_CLOSING = frozenset(")]}")
_OTHER_BRACKET = {")": "]", "]": ")", "}": ")"}
_MISSPELT = {
    "return": "retrun", "while": "whlie", "for": "fro", "else": "esle", "elif": "elseif", "def": "define",
    "lambda": "lamda", "except": "exept", "raise": "rasie", "import": "improt", "yield": "yeild", "not": "nto",
    "in": "im", "try": "tyr", "with": "wiht", "break": "braek", "finally": "finaly",
    "assert": "asert", "continue": "contiune", "if": "fi", "and": "adn",
}  # fmt: skip
_SIGNS = {"!=": "=!", "<=": "=<", ">=": "=>"}
_FOREIGN = {"and": "&&", "or": "||", "not": "!", "elif": "else if"}
_LONGEST_LINE = 90


def _line(code: Code, offset: int) -> Span:
    """The line around an offset, without its indentation, comment and end; just the offset where it is too long."""
    start = code.line_start(offset)
    end = code.text.find("\n", offset)
    end = len(code.text) if end < 0 else end
    end = min([end, *(comment.start for comment in code.comments if start <= comment.start < end)])
    line = code.text[start:end]
    span = start + len(line) - len(line.lstrip()), start + len(line.rstrip())
    return span if span[0] <= offset <= span[1] and span[1] - span[0] <= _LONGEST_LINE else (offset, offset)


def _shown(code: Code, start: int, end: int) -> Span:
    """The line around a stretch of it, or the stretch."""
    first, last = _line(code, start)
    return (first, last) if first <= start and end <= last else (start, end)


def _compound(code: Code) -> Iterator[Token]:
    """The colons before the blocks of functions."""
    for block in code.blocks:
        colon = code.token_before(code.span(block[0])[0])
        if colon is not None and colon.text == ":":
            yield colon


@operator("syntax", "colon missing", effect=_NEVER)
def colon_dropped(code: Code) -> Sites:
    """The colon before a block is not there."""
    for colon in _compound(code):
        yield removed((colon.start, colon.end), _shown(code, colon.start, colon.end))


def _brackets(code: Code) -> Iterator[Token]:
    return (token for token in code.tokens if token.kind == tokenize.OP and token.text in _CLOSING)


@operator("syntax", "bracket not closed", effect=_NEVER)
def bracket_unclosed(code: Code) -> Sites:
    """A bracket that is opened is never closed."""
    for token in _brackets(code):
        yield removed((token.start, token.end), _shown(code, token.start, token.end), bracket=token.text)


@operator("syntax", "wrong closing bracket", effect=_NEVER)
def bracket_mismatched(code: Code) -> Sites:
    """A bracket is closed by one of another kind."""
    for token in _brackets(code):
        other = _OTHER_BRACKET[token.text]
        shown = _shown(code, token.start, token.end)
        yield change((token.start, token.end), other, shown, right=token.text, wrong=other)


@operator("syntax", "closing bracket too many", effect=_NEVER)
def bracket_extra(code: Code) -> Sites:
    """A bracket is closed that was never opened."""
    for token in _brackets(code):
        shown = _shown(code, token.start, token.end)
        yield change((token.end, token.end), token.text, shown, bracket=token.text)


@operator("syntax", "quote not closed", effect=_NEVER)
def quote_unclosed(code: Code) -> Sites:
    """A text has lost the quote at its end."""
    for token in code.tokens:
        quotes = re.search(r"('''|\"\"\"|'|\")\Z", token.text)
        if token.kind == tokenize.STRING and quotes is not None and len(quotes[0]) == 1:
            yield removed((token.end - 1, token.end), _shown(code, token.start, token.end))


@operator("syntax", "comma missing", effect=_NEVER)
def comma_dropped(code: Code) -> Sites:
    """The comma between two arguments or items is not there."""
    for token in code.tokens:
        if token.text == ",":
            yield removed((token.start, token.end), _shown(code, token.start, token.end))


@operator("syntax", "assignment in place of a comparison", effect=_NEVER)
def assignment_for_comparison(code: Code) -> Sites:
    """A condition has a single equals sign."""
    for token in code.tokens:
        if token.text == "==":
            yield change((token.start, token.end), "=", _shown(code, token.start, token.end))


@operator("syntax", "keyword misspelt", effect=_NEVER)
def keyword_misspelt(code: Code) -> Sites:
    """A keyword of the language is written wrongly."""
    for token in code.tokens:
        if token.kind == tokenize.NAME and token.text in _MISSPELT and keyword.iskeyword(token.text):
            wrong = _MISSPELT[token.text]
            shown = _shown(code, token.start, token.end)
            yield change((token.start, token.end), wrong, shown, right=token.text, wrong=wrong)


@operator("syntax", "sign of a comparison misspelt", effect=_NEVER)
def comparison_misspelt(code: Code) -> Sites:
    """The two characters of a comparison stand in the wrong order."""
    for token in code.tokens:
        if token.text in _SIGNS:
            wrong = _SIGNS[token.text]
            shown = _shown(code, token.start, token.end)
            yield change((token.start, token.end), wrong, shown, right=token.text, wrong=wrong)


@operator("syntax", "operator from another language", effect=_NEVER)
def foreign_operator(code: Code) -> Sites:
    """An operator or keyword is written as another language writes it."""
    for token in code.tokens:
        after = code.token_after(token.end)
        if token.kind != tokenize.NAME or token.text not in _FOREIGN or after is None or _is_part(code, token, after):
            continue
        wrong, end = _FOREIGN[token.text], token.end
        if token.text == "not":
            end = after.start  # other languages put no space there
        shown = _shown(code, token.start, end)
        yield change((token.start, end), wrong, shown, right=token.text, wrong=wrong)


def _is_part(code: Code, token: Token, after: Token) -> bool:
    """Whether a word is a part of `is not` or `not in`."""
    before = code.token_before(token.start)
    return after.text == "in" or (before is not None and before.text == "is")


# Indentation


def _first_lines(code: Code) -> Iterator[tuple[ast.stmt, Span]]:
    """The first statement of each block that begins a line, no docstring, and the white space before it."""
    for block in code.blocks:
        if code.may_change(*code.span(block[0])):
            yield from _line_of(code, block[0])


def _line_of(code: Code, statement: ast.stmt) -> Iterator[tuple[ast.stmt, Span]]:
    indent = code.indent(statement)
    if indent and not indent.strip() and not code.is_elif(statement):
        start = code.span(statement)[0]
        yield statement, (start - len(indent), start)


def _reindented(code: Code, statement: ast.stmt, indent: Span, new: str) -> Site:
    start = indent[1]
    return change(indent, new, _line(code, start))


@operator("syntax", "line not indented", effect=_INDENTATION)
def indent_lost(code: Code) -> Sites:
    """The first line of a block stands no further in than the line that opens it."""
    for statement, indent in _first_lines(code):
        outer = code.indent(code.parent(statement))
        if not outer.strip():
            yield _reindented(code, statement, indent, outer)


@operator("syntax", "unexpected indentation", effect=_INDENTATION)
def indent_unexpected(code: Code) -> Sites:
    """A line stands further in than the line before it without a reason."""
    for block in code.blocks:
        for statement in block[1:]:
            for _, indent in _line_of(code, statement):
                own = code.text[slice(*indent)]
                yield _reindented(code, statement, indent, own + ("\t" if "\t" in own else "    "))


@operator("syntax", "uneven indentation", effect=_INDENTATION)
def indent_uneven(code: Code) -> Sites:
    """A line is indented by a space less than those of its block."""
    for block in code.blocks:
        for statement in block[1:]:
            for _, indent in _line_of(code, statement):
                own = code.text[slice(*indent)]
                if own.endswith("  "):
                    yield _reindented(code, statement, indent, own[:-1])
