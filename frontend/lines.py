"""The pre-pass: from text to logical lines, and from their indentation to blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from birc.errors import Diagnostic, Source, Span
from birc.frontend.tokens import UNIT, Scanned, Token, check_unit_end, micro, scan
from birc.frontend.words import ITEM_WORDS, LINE_WORDS

MAX_NESTING = 200
MAX_TERMS = 5000
MAX_LINE = 100_000
MAX_PROBLEMS = 200
MAX_LEVEL = 4
"""Blocks nest three deep at most; what is indented further is kept on this level and is an error in any case."""

_OPENERS = ("LPAR", "LSQB")
_CLOSERS = ("RPAR", "RSQB")
_LINE_TOKENS = frozenset(word.upper() for word in LINE_WORDS)
_ITEM_TOKENS = frozenset(word.upper() for word in ITEM_WORDS)


@dataclass(slots=True)
class Line:
    """A logical line: the tokens up to the end of the statement, over several lines of text inside brackets.

    `problem` is what is wrong with its characters or brackets; such a line is not parsed. `stray` says that its indentation is
    wrong; such a line is parsed all the same.
    """

    tokens: list[Token]
    indent: int
    problem: Diagnostic | None
    children: list[Line] = field(default_factory=list)
    stray: Diagnostic | None = None

    @property
    def span(self) -> Span:
        """From its first token to its last."""
        return self.tokens[0].span.to(self.tokens[-1].span)


@dataclass(slots=True)
class Lines:
    """The logical lines of a file as a tree of blocks, its comments by line of text, and what is wrong with the whole file."""

    top: list[Line]
    comments: dict[int, Token]
    problems: list[Diagnostic]


def read_lines(source: Source) -> Lines:
    """The blocks of a source. Lines with a problem keep their place; after `MAX_PROBLEMS` of them the rest is not read."""
    reader = _Reader(source)
    lines = reader.lines()
    return Lines(_blocks(lines), reader.comments, _tabs(lines))


class _Reader:
    """Groups lines of text into logical lines. A line read ahead of an unclosed bracket is kept and not scanned again."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.count = len(source.lines)
        self.comments: dict[int, Token] = {}
        self.ahead: dict[int, Scanned] = {}

    def lines(self) -> list[Line]:
        lines: list[Line] = []
        number = 1
        problems = 0
        while number <= self.count and problems < MAX_PROBLEMS:
            line, number = self.logical_line(number)
            if line is not None:
                lines.append(line)
                problems += line.problem is not None
        return lines

    def scanned(self, number: int) -> Scanned:
        if number not in self.ahead:
            if len(self.source.line(number)) > MAX_LINE:
                self.ahead[number] = self.too_long(number)
            else:
                self.ahead[number] = scan(self.source, number)
        return self.ahead[number]

    def too_long(self, number: int) -> Scanned:
        """A stand-in for a line that is not looked at; it keeps the line's place among the blocks."""
        text = self.source.line(number)
        indent = len(text) - len(text.lstrip(" "))
        span = Span(self.source, number, indent + 1, number, indent + 2)
        return Scanned([Token("NAME", text[indent], self.source, number, indent + 1, number, indent + 2)], None, _long(span), number + 1)

    def logical_line(self, number: int) -> tuple[Line | None, int]:
        """The logical line that begins on line `number` (None: a blank line or a comment), and the number behind it."""
        first = self.scanned(number)
        if not first.tokens and first.problem is None:
            return None, self.take(number, first.next_line)
        text = self.source.line(number)
        indent = len(text[: len(text) - len(text.lstrip())].expandtabs(4))
        tokens = list(first.tokens)
        problem = first.problem
        brackets = _Brackets()
        problem = problem or brackets.read(first.tokens)
        end = first.next_line
        length = len(text)
        while brackets.open and end <= self.count:
            following = self.scanned(end)
            length += len(self.source.line(end))
            if length > MAX_LINE or (following.tokens and following.tokens[0].type in _LINE_TOKENS):
                break
            tokens += following.tokens
            problem = problem or following.problem or brackets.read(following.tokens)
            end = following.next_line
        if brackets.open:
            opener = brackets.open[0]
            if length > MAX_LINE:
                problem = problem or _long(opener.span)
            else:
                problem = Diagnostic("S010", f"this `{opener.text}` is never closed", opener.span)
            end = self.resume(number, first.next_line, end, indent)
            tokens = first.tokens
        if not tokens:
            tokens = [Token("NAME", "", self.source, number, indent + 1, number, indent + 1)]
        else:
            tokens, unit_problem = _join_port_units(tokens)
            problem = problem or unit_problem or _micro_names(tokens)
        return Line(tokens, indent, problem), self.take(number, end)

    def resume(self, number: int, start: int, stop: int, indent: int) -> int:
        """Where the line after an unclosed bracket begins: the first that is not indented below it and closes nothing."""
        for candidate in range(start, stop):
            tokens = self.scanned(candidate).tokens
            if tokens and tokens[0].line == candidate and tokens[0].column <= indent + 1 and tokens[0].type not in _CLOSERS:
                return candidate
        return stop

    def take(self, number: int, end: int) -> int:
        """Forget what was read ahead up to `end`, but for the comments."""
        for line in range(number, end):
            scanned = self.ahead.pop(line, None)
            if scanned is not None and scanned.comment is not None:
                self.comments[scanned.comment.line] = scanned.comment
        return end


class _Brackets:
    """The brackets that are open. Which kind closes which is left to the grammar: `[0, 1)` is an interval."""

    def __init__(self) -> None:
        self.open: list[Token] = []

    def read(self, tokens: list[Token]) -> Diagnostic | None:
        problem: Diagnostic | None = None
        for token in tokens:
            if token.type in _OPENERS:
                self.open.append(token)
                if len(self.open) == MAX_NESTING + 1:
                    problem = problem or Diagnostic(
                        "S012", f"brackets nest more than {MAX_NESTING} deep", token.span, "name a part of the expression with `let`"
                    )
            elif token.type in _CLOSERS:
                if self.open:
                    self.open.pop()
                else:
                    problem = problem or Diagnostic("S011", f"this `{token.text}` closes nothing", token.span)
        return problem


def _long(span: Span) -> Diagnostic:
    return Diagnostic("S013", f"a line of more than {MAX_LINE:,} characters", span, "name parts of it with `let`")


def _join_port_units(tokens: list[Token]) -> tuple[list[Token], Diagnostic | None]:
    """Behind the colon of a port or of a function's parameter stands a unit alone: make it one token."""
    if not any(token.type == "COLON" for token in tokens):
        return tokens, None
    joined: list[Token] = []
    problem: Diagnostic | None = None
    head, depth, i = tokens[0].type, 0, 0
    while i < len(tokens):
        token = tokens[i]
        joined.append(token)
        i += 1
        depth += (token.type in _OPENERS) - (token.type in _CLOSERS)
        if token.type != "COLON" or i == len(tokens):
            continue
        if head in _ITEM_TOKENS and depth == 0:
            head = tokens[i].type
        elif (head in ("INPUT", "OUTPUT") and depth == 0) or (head in ("ON", "FN") and depth > 0):
            first = tokens[i]
            unit = UNIT.match(first.source.line(first.line), first.column - 1)
            if unit is None:
                continue
            problem = problem or check_unit_end(first.source, first.line, unit.start(), unit.end())
            joined.append(Token("UNIT", micro(unit[0]), first.source, first.line, first.column, first.line, unit.end() + 1))
            while i < len(tokens) and tokens[i].line == first.line and tokens[i].column <= unit.end():
                i += 1
    return joined, problem


def _micro_names(tokens: list[Token]) -> Diagnostic | None:
    for token in tokens:
        if token.type in ("NAME", "PRIMED") and re.search("[µμ]", token.text):
            return Diagnostic("S001", "`µ` stands in units only", token.span, f"write `{re.sub('[µμ]', 'mu', token.text)}`")
    return None


def _tabs(lines: list[Line]) -> list[Diagnostic]:
    """Indentation is made of spaces; one message names the first line with a tab and counts the others."""
    tabbed = [line.tokens[0] for line in lines if "\t" in line.tokens[0].source.line(line.tokens[0].line)[: line.tokens[0].column - 1]]
    if not tabbed:
        return []
    first = tabbed[0]
    others = f" (and that of {len(tabbed) - 1} more)" if len(tabbed) > 1 else ""
    span = Span(first.source, first.line, 1, first.line, first.column)
    return [Diagnostic("S020", f"the indentation of this line{others} contains a tab", span, "indent with spaces, four for each level")]


def _blocks(lines: list[Line]) -> list[Line]:
    """Hang each line below the header it is indented under; whether that line may have a block is seen when it is parsed."""
    top: list[Line] = []
    levels: list[tuple[int, list[Line]]] = [(0, top)]
    previous: Line | None = None
    wrong = -1
    for line in lines:
        left: tuple[int, list[Line]] | None = None
        while line.indent < levels[-1][0]:
            left = levels.pop()
        if left is not None and line.indent > levels[-1][0]:
            if line.indent != wrong:
                line.stray = _between(line, levels[-1][0], left[0])
            wrong = line.indent
            levels.append(left)
        elif line.indent > levels[-1][0]:
            if previous is None:
                line.stray = Diagnostic("S021", "the first line is indented", line.tokens[0].span, "begin it in the first column")
                levels.append((line.indent, top))
            else:
                siblings = previous.children if len(levels) < MAX_LEVEL else levels[-1][1]
                levels.append((line.indent, siblings))
        levels[-1][1].append(line)
        previous = line
    return top


def _between(line: Line, outer: int, inner: int) -> Diagnostic:
    return Diagnostic(
        "S022",
        f"an indentation of {line.indent} matches no block",
        line.tokens[0].span,
        f"the blocks that are open here are indented by {outer} and {inner}",
    )
