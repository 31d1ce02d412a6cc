"""A line that the grammar refuses: what was found, what could stand there, and what stands around it."""

from __future__ import annotations

from dataclasses import dataclass

from birc.errors import Span
from birc.frontend.lalr import END
from birc.frontend.tokens import Token
from birc.frontend.words import CONTEXTUAL, ITEM_WORDS, WORD_OF_TOKEN
from birc.suggest import closest

LONGEST_QUOTE = 60
HEADERS = frozenset((*(word.upper() for word in ITEM_WORDS), "ON", "SPIKE", "GATE"))

PAIRS = {"RPAR": "LPAR", "RSQB": "LSQB"}
OPENERS = frozenset(PAIRS.values())
OPERATORS = frozenset(("PLUS", "MINUS", "STAR", "SLASH", "CIRCUMFLEX", "COMPARE", "AND", "OR", "NOT"))
NAMES = frozenset(("NAME", *(word.upper() for word in CONTEXTUAL)))
VALUES = NAMES | {"PRIMED", "NUMBER", "STRING", "TRUE", "FALSE", "PI", "INF", "LPAR"}
VALUE_ENDS = (VALUES - {"LPAR"}) | {"UNIT", "RPAR", "RSQB"}
_SIGNS = {
    "LPAR": "(", "RPAR": ")", "LSQB": "[", "RSQB": "]", "COMMA": ",", "COLON": ":", "DOT": ".", "PLUS": "+", "MINUS": "-",
    "STAR": "*", "SLASH": "/", "CIRCUMFLEX": "^", "EQUAL": "=", "ARROW": "->",
}  # fmt: skip
_KINDS = {
    "NAME": "a name", "NUMBER": "a number", "UNIT": "a unit", "STRING": "a file name in quotes", END: "the end of the line",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line and the place where no rule of the grammar goes on; `accepts` are the types of token that could stand there."""

    start: str
    tokens: list[Token]
    at: int
    accepts: frozenset[str]

    @property
    def found(self) -> str:
        """The type of the token that cannot stand there."""
        return self.tokens[self.at].type if self.at < len(self.tokens) else END

    @property
    def first(self) -> Token:
        """The token that begins the line."""
        return self.tokens[0]

    @property
    def before(self) -> Token | None:
        """The token before the place."""
        return self.tokens[self.at - 1] if self.at else None

    @property
    def span(self) -> Span:
        """The token that cannot stand there, or the place behind the line's end."""
        return self.tokens[self.at].span if self.at < len(self.tokens) else self.behind

    @property
    def behind(self) -> Span:
        """The place right behind the token before."""
        last = self.tokens[max(self.at - 1, 0)]
        return Span(last.source, last.end_line, last.end_column, last.end_line, last.end_column + 1)

    @property
    def text(self) -> str:
        """What was found, as a message names it."""
        return f"`{short(self.tokens[self.at].text)}`" if self.at < len(self.tokens) else "the end of the line"

    @property
    def wants_value(self) -> bool:
        """Whether an expression could begin there."""
        return {"NAME", "NUMBER", "LPAR"} <= self.accepts


def short(text: str) -> str:
    """A text as it is quoted in a message: one line, not too long."""
    line = text.split("\n")[0]
    return line if line == text and len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def meant(r: Refusal) -> str | None:
    """A word that could stand there and looks like what was written."""
    if r.found not in NAMES:
        return None
    near = closest(r.tokens[r.at].text, sorted(WORD_OF_TOKEN[symbol] for symbol in r.accepts if symbol in WORD_OF_TOKEN))
    return f"did you mean `{near}`?" if near else None


def name_of(symbol: str) -> str:
    """A type of token as a message names it."""
    if symbol in WORD_OF_TOKEN:
        return f"`{WORD_OF_TOKEN[symbol]}`"
    if symbol in _SIGNS:
        return f"`{_SIGNS[symbol]}`"
    return _KINDS.get(symbol, symbol)


def open_bracket(r: Refusal) -> Token | None:
    """The innermost bracket that is open at the place."""
    stack: list[Token] = []
    for token in r.tokens[: r.at]:
        if token.type in OPENERS:
            stack.append(token)
        elif token.type in PAIRS and stack:
            stack.pop()
    return stack[-1] if stack else None


def same_level(r: Refusal, wanted: frozenset[str], borders: frozenset[str]) -> Token | None:
    """The nearest token before the place of a wanted type, in the same brackets and behind the nearest border."""
    depth = 0
    for token in reversed(r.tokens[: r.at]):
        if token.type in PAIRS:
            depth += 1
        elif token.type in OPENERS:
            depth -= 1
        if depth < 0 or (depth == 0 and token.type in borders):
            return None
        if depth == 0 and token.type in wanted:
            return token
    return None
