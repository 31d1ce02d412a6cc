"""The tokens of one line of text: names, numbers with their units, strings, signs and comments."""

from __future__ import annotations

import re
from typing import NamedTuple

from birc.errors import Diagnostic, Source, Span
from birc.frontend import characters
from birc.frontend.words import NOT_UNITS, TOKEN_OF_WORD

SIGNS = {
    "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB", ",": "COMMA", ":": "COLON", ".": "DOT", "+": "PLUS", "-": "MINUS",
    "*": "STAR", "/": "SLASH", "^": "CIRCUMFLEX", "=": "EQUAL", "->": "ARROW",
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), "COMPARE"),
    **dict.fromkeys(("+=", "-=", "*=", "/="), "CHANGE"),
}  # fmt: skip

NAME = "[A-Za-z_µμ][A-Za-z0-9_µμ]*"
UNIT = re.compile(rf"{NAME}(?:\^-?[0-9]+)?(?:[*/]{NAME}(?:\^-?[0-9]+)?)*")

_PIECE = re.compile(
    rf"""[ \t]+
    | (?P<comment>\#.*)
    | (?P<word>{NAME})(?P<primes>'*)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<string>"[^"]*")
    | (?P<foreign>\*\*|\.[0-9]|//|/\*|<>|=<|=>|:=|&&|\|\||\+\+)
    | (?P<sign>->|[<>=!]=|[-+*/]=|[][()<>,:.+\-*/^=])
    """,
    re.VERBOSE,
)
_FRACTION = re.compile(r"\^-?[0-9]*\.?[0-9]*|\.[0-9]+")
_AFTER_NUMBER = re.compile(r"[A-Za-z_µμ0-9.]+")
MAX_DIGITS = 400


class Token(NamedTuple):
    """A piece of the text; `type` is its name in the grammar, `text` what was written (a unit's `µ` read as `u`)."""

    type: str
    text: str
    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.source, self.line, self.column, self.end_line, self.end_column)


class Scanned(NamedTuple):
    """The tokens that begin on one line of text, the first thing wrong there, and the number of the next line to read."""

    tokens: list[Token]
    comment: Token | None
    problem: Diagnostic | None
    next_line: int


def scan(source: Source, number: int) -> Scanned:
    """Read line `number`; a docstring in triple quotes may end on a later one."""
    line = source.line(number)
    tokens: list[Token] = []
    problem: Diagnostic | None = None
    position = 0

    def add(type: str, start: int, text: str) -> None:
        tokens.append(Token(type, text, source, number, start + 1, number, start + 1 + len(text)))

    while position < len(line):
        if line.startswith('"""', position):
            return _docstring(source, number, position, tokens, problem)
        piece = _PIECE.match(line, position)
        if piece is None or piece["foreign"]:
            wrong, position = characters.explain(source, number, position)
            problem = problem or wrong
            continue
        start, position = position, piece.end()
        if piece["word"]:
            word = piece["word"]
            if piece["primes"]:
                add("PRIMED", start, piece[0])
            else:
                add(TOKEN_OF_WORD.get(word, "NAME"), start, word)
        elif piece["sign"]:
            add(SIGNS[piece[0]], start, piece[0])
        elif piece["number"]:
            alone = _stands_alone(tokens)
            add("NUMBER", start, piece[0])
            found, position = _check_number(tokens[-1], line, position)
            problem = problem or found
            if found is None and not alone:
                found, position = _unit(source, number, position, tokens)
                problem = problem or found
        elif piece["string"]:
            add("STRING", start, piece[0])
        elif piece["comment"]:
            comment = Token("COMMENT", piece[0].rstrip(), source, number, start + 1, number, len(line) + 1)
            return Scanned(tokens, comment, problem, number + 1)
    return Scanned(tokens, None, problem, number + 1)


def _docstring(source: Source, number: int, position: int, tokens: list[Token], problem: Diagnostic | None) -> Scanned:
    """A docstring in triple quotes; what stands behind its end is left to be an error of the grammar."""
    first = position + 3
    end_line = number
    while True:
        end = source.line(end_line).find('"""', first if end_line == number else 0)
        if end >= 0:
            break
        end_line += 1
        if end_line > len(source.lines):
            span = Span(source, number, position + 1, number, position + 4)
            found = Diagnostic("S007", "this docstring is never closed", span, 'close it with `"""`')
            return Scanned(tokens, None, problem or found, end_line)
    lines = source.lines[number - 1 : end_line]
    text = "\n".join([*lines[:-1], lines[-1][: end + 3]])[position:]
    tokens.append(Token("DOCSTRING", text, source, number, position + 1, end_line, end + 4))
    rest = source.line(end_line)[end + 3 :].strip()
    comment = None
    if rest.startswith("#"):
        column = source.line(end_line).index("#", end + 3) + 1
        comment = Token("COMMENT", rest, source, end_line, column, end_line, column + len(rest))
    elif rest:
        span = Span(source, end_line, end + 4, end_line, len(source.line(end_line)) + 1)
        problem = problem or Diagnostic("S055", "a docstring stands alone on its lines", span)
    return Scanned(tokens, comment, problem, end_line + 1)


def _stands_alone(tokens: list[Token]) -> bool:
    """Whether a number behind these tokens takes no unit: behind a colon (`input f: 1 at soma`) and as a power (`uA/cm^2 at soma`)."""
    before = [token.type for token in tokens[-2:]]
    return before[-1:] in (["COLON"], ["CIRCUMFLEX"]) or before == ["CIRCUMFLEX", "MINUS"]


def _check_number(token: Token, line: str, position: int) -> tuple[Diagnostic | None, int]:
    """Whether a number ends where it should and can be held; else what is wrong, and where to read on."""
    rest = _AFTER_NUMBER.match(line, position)
    if rest is None:
        if len(token.text) > MAX_DIGITS:
            return Diagnostic("S004", f"a number of more than {MAX_DIGITS} characters", token.span), position
        value = float(token.text)
        if value == float("inf"):
            return Diagnostic("S004", "this number is too large for float64", token.span, "the largest is about 1.8e308"), position
        if value == 0.0 and any(digit in "123456789" for digit in re.split("[eE]", token.text)[0]):
            return Diagnostic("S004", "this number is too small for float64", token.span, "the smallest is about 5e-324"), position
        return None, position
    span = Span(token.source, token.line, token.column, token.line, rest.end() + 1)
    behind = rest[0]
    if behind == ".":
        return Diagnostic("S003", "a number cannot end with a point", span, f"write `{token.text}.0` or `{token.text}`"), rest.end()
    if "." in behind and not re.search("[A-Za-zµμ_]", behind):
        return Diagnostic("S003", f"`{token.text}{behind}` is not a number", span), rest.end()
    help = f"write a space between a number and its unit: `{token.text} {behind}`"
    if behind.startswith("_"):
        help = f"write the digits without `_`: `{token.text}{behind.replace('_', '')}`"
    elif token.text == "0" and behind[0] in "xXbBoO":
        help = "numbers are decimal"
    return Diagnostic("S002", "a letter right behind a number", span, help), rest.end()


def _unit(source: Source, number: int, position: int, tokens: list[Token]) -> tuple[Diagnostic | None, int]:
    """The unit one space behind a number, if a unit stands there."""
    line = source.line(number)
    unit = UNIT.match(line, position + 1) if line.startswith(" ", position) else None
    if unit is None:
        return None, position
    word = re.match(NAME, unit[0])
    if word is None or word[0] in NOT_UNITS:
        return None, position
    problem = check_unit_end(source, number, unit.start(), unit.end())
    if problem is None and line.startswith("'", unit.end()):
        if unit[0] == word[0]:
            return None, position
        span = Span(source, number, unit.start() + 1, number, unit.end() + 1)
        head, _, tail = unit[0].rpartition("*" if unit[0].rfind("*") > unit[0].rfind("/") else "/")
        sign = unit[0][len(head)]
        problem = Diagnostic("S008", f"`{unit[0]}` is read as one unit", span, f"write spaces: `{tokens[-1].text} {head} {sign} {tail}'`")
    tokens.append(Token("UNIT", micro(unit[0]), source, number, unit.start() + 1, number, unit.end() + 1))
    return problem, unit.end()


def check_unit_end(source: Source, number: int, start: int, end: int) -> Diagnostic | None:
    """A `^`, or a fraction, right behind a unit means that its power is no whole number."""
    power = _FRACTION.match(source.line(number), end)
    if power is None:
        return None
    span = Span(source, number, start + 1, number, power.end() + 1)
    return Diagnostic(
        "S006",
        "the power of a unit is a whole number",
        span,
        "write `ms^-1`, `mV^2`; a power of a quantity needs spaces or brackets: `(2 mV)^0.5`",
    )


def micro(text: str) -> str:
    """A unit with its `µ` (either sign) as `u`."""
    return text.replace("µ", "u").replace("μ", "u")
