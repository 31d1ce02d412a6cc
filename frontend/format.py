"""The formatter, `birc fmt`: four spaces for each level, one space around operators, and what the author wrote otherwise.

It works on the tokens of each logical line, so that numbers, brackets, line breaks inside brackets, comments and blank lines
(one at most) stay as they were written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from birc.errors import Source
from birc.frontend.lines import Line, Lines, read_lines
from birc.frontend.parser import parse
from birc.frontend.tokens import Token
from birc.frontend.words import CONTEXTUAL, RESERVED

STEP = 4

_OPENERS = ("LPAR", "LSQB")
_CLOSERS = ("RPAR", "RSQB")
_ENDS_VALUE = frozenset(("NAME", "PRIMED", "NUMBER", "UNIT", "STRING", "TRUE", "FALSE", "PI", "INF", *_CLOSERS))
_CONTEXTUAL = frozenset(word.upper() for word in CONTEXTUAL)
_WORDS = frozenset(word.upper() for word in RESERVED) - {"TRUE", "FALSE", "PI", "INF"}


def format_text(source: Source) -> str:
    """The source in the one form that `birc fmt` writes; formatting it again changes nothing. Raises its syntax errors."""
    parse(source)
    lines = read_lines(source)
    printer = _Printer(source, lines)
    printer.block(lines.top, 0, 0)
    printer.comments_before(len(source.lines) + 1, 0, Level(0, 0))
    return "\n".join(printer.out).strip("\n") + "\n"


@dataclass(frozen=True)
class Level:
    """A block that is open: how far the author indented it, and how far it is printed."""

    indent: int
    margin: int


@dataclass
class _Printer:
    """Prints the logical lines in order and puts in the comments and blank lines that stand between them."""

    source: Source
    lines: Lines
    out: list[str] = field(default_factory=list)
    written: int = 0
    """The last line of the source that is printed."""
    open: list[Level] = field(default_factory=list)

    def block(self, lines: list[Line], depth: int, margin: int) -> None:
        for line in lines:
            level = Level(line.indent, margin)
            self.comments_before(line.tokens[0].line, depth, level)
            self.open[depth:] = [level]
            if depth == 0 and self.out and _needs_blank(line, self.out[-1]):
                self.out.append("")
            self.statement(line, margin)
            self.block(line.children, depth + 1, margin + _inner_margin(line))

    def comments_before(self, number: int, depth: int, level: Level) -> None:
        """Comments and blank lines up to line `number` of the source, whose statement stands in block number `depth`.

        A comment belongs to the block it is indented with, but never outside that of the statement it leads to.
        """
        inner = self.open[depth + 1 :]
        for line in range(self.written + 1, number):
            comment = self.lines.comments.get(line)
            if comment is not None:
                margin = max([level.margin, *(block.margin for block in inner if comment.column > block.indent)])
                if margin == 0 and self.out and self.out[-1].startswith(" "):
                    self.out.append("")
                self.out.append(" " * margin + comment.text)
            elif self.out and self.out[-1]:
                self.out.append("")
        self.written = number - 1

    def statement(self, line: Line, margin: int) -> None:
        """A logical line; where the author broke it inside brackets, it is broken."""
        text = " " * margin
        depth = 0
        previous: Token | None = None
        current = line.tokens[0].line
        for i, token in enumerate(line.tokens):
            if previous is not None and token.line > current:
                self.row(text, current)
                for between in range(current + 1, token.line):
                    comment = self.lines.comments.get(between)
                    if comment is not None:
                        self.out.append(" " * (margin + STEP * max(depth, 1)) + comment.text)
                text = " " * (margin + STEP * max(depth - (token.type in _CLOSERS), 0))
            elif previous is not None and _space(line.tokens, i):
                text += " "
            depth += (token.type in _OPENERS) - (token.type in _CLOSERS)
            text += token.text
            previous, current = token, token.end_line
        self.row(text, current)
        self.written = current

    def row(self, text: str, number: int) -> None:
        """A finished row, with the comment that ends line `number`."""
        comment = self.lines.comments.get(number)
        self.out.append(f"{text}  {comment.text}" if comment is not None else text)


def _inner_margin(line: Line) -> int:
    """How far the block below a line is indented: that of a gate stands below the entry behind its colon."""
    if line.tokens[0].type != "GATE" or line.tokens[-1].type == "COLON":
        return STEP
    return len(line.tokens[0].text) + 1 + len(line.tokens[1].text) + 2


def _needs_blank(line: Line, above: str) -> bool:
    """Items stand apart, unless a comment leads to them; imports stand together."""
    if not above or above.startswith("#"):
        return False
    return not (line.tokens[0].type == "FROM" and above.startswith("from "))


def _space(tokens: list[Token], i: int) -> bool:
    """Whether a space stands between token i - 1 and token i."""
    left, right = tokens[i - 1], tokens[i]
    if left.type in (*_OPENERS, "DOT", "CIRCUMFLEX") or right.type in (*_CLOSERS, "COMMA", "DOT", "CIRCUMFLEX", "COLON"):
        return False
    if left.type == "COLON":
        return not (tokens[i - 2].type == "LSQB" or tokens[i - 3].type == "LSQB")
    if left.type == "MINUS" and not _is_value_end(tokens, i - 2):
        return False
    if right.type == "LSQB":
        return not _is_value_end(tokens, i - 1)
    if right.type == "LPAR" and left.type == "STEP":
        return False
    if right.type == "LPAR":
        return not (_is_value_end(tokens, i - 1) and left.type not in ("NUMBER", "UNIT", "STRING"))
    return True


def _is_value_end(tokens: list[Token], i: int) -> bool:
    """Whether token i ends a value, so that a `-` behind it is binary and a bracket behind it a call."""
    if i < 0:
        return False
    kind = tokens[i].type
    if kind in _CONTEXTUAL:
        return not _is_keyword(tokens, i)
    return kind in _ENDS_VALUE


def _is_keyword(tokens: list[Token], i: int) -> bool:
    """Whether a contextual word is used in its own sense: behind a value, or behind the word that calls for it."""
    before = tokens[i - 1] if i else None
    if before is None:
        return False
    if before.type in ("SPIKE", "WITH", "FROM") or (before.type == "ON" and i == 2 and tokens[0].type == "SPIKE"):
        return True
    if tokens[i].type == "DURING" and before.type in ("ALWAYS", "STEP"):
        return True
    return _is_value_end(tokens, i - 1) or (before.type == "COLON" and tokens[0].type == "REFRACTORY")
