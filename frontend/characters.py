"""What to say about a character that begins no token: look-alikes, signs of other languages, stray quotes."""

from __future__ import annotations

import re
import unicodedata

from birc.errors import Diagnostic, Source, Span

_FOREIGN = {
    "**": ("S037", "`**` is not an operator of birc", "a power is written `x^2`"),
    "//": ("S048", "`//` is not an operator of birc", "a comment begins with `#`, a quotient is written `a / b`"),
    "/*": ("S048", "`/*` is not an operator of birc", "a comment begins with `#`"),
    "<>": ("S047", "`<>` is not an operator of birc", "unequal is written `!=`"),
    "=<": ("S047", "`=<` is not an operator of birc", "write `<=`"),
    "=>": ("S047", "`=>` is not an operator of birc", "write `>=`, or `->` between populations"),
    ":=": ("S047", "`:=` is not an operator of birc", "write `=`"),
    "&&": ("S047", "`&&` is not an operator of birc", "write `and`"),
    "||": ("S047", "`||` is not an operator of birc", "write `or`"),
    "++": ("S047", "`++` is not an operator of birc", "write `x += 1`"),
    "&": ("S047", "`&` is not an operator of birc", "write `and`"),
    "|": ("S047", "`|` is not an operator of birc", "write `or`, or `abs(x)`"),
    "!": ("S047", "`!` is not an operator of birc", "write `not`"),
    "~": ("S047", "`~` is not an operator of birc", "write `not`"),
    "%": ("S047", "`%` is not an operator of birc", "there is no remainder, and a percentage is written as a number: `0.05`"),
    ";": ("S040", "one statement stands on a line", "begin a new line, or write a comma: `param a = 1, b = 2`"),
    "?": ("S047", "`?` is not an operator of birc", "a choice is written `if a then b else c`"),
    "{": ("S047", "birc has no braces", "a block is written by indentation behind `:`"),
    "}": ("S047", "birc has no braces", "a block is written by indentation behind `:`"),
    "\\": ("S047", "birc has no `\\`", "a line goes on inside ( ) and [ ]"),
}

_LOOK_ALIKES = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "′": "'", "´": "'", "`": "'", "″": "''", "≤": "<=",
    "≥": ">=", "≠": "!=", "→": "->", "⟶": "->", "←": "=", "≔": "=", "²": "^2", "³": "^3", "¹": "^1", "⁴": "^4", "⁻": "^-",
    "\N{OHM SIGN}": "ohm", "\N{GREEK CAPITAL LETTER OMEGA}": "ohm", "∞": "inf", "π": "pi", "∧": "and", "∨": "or", "¬": "not",
    "℃": "degC", "…": "...", "，": ",", "：": ":", "（": "(", "）": ")", "＝": "=", "；": ";", "\N{CYRILLIC SMALL LETTER A}": "a",
    "\N{CYRILLIC SMALL LETTER IE}": "e", "\N{CYRILLIC SMALL LETTER O}": "o", "\N{CYRILLIC SMALL LETTER ES}": "c",
    "\N{CYRILLIC SMALL LETTER ER}": "p", "\N{CYRILLIC SMALL LETTER HA}": "x",
}  # fmt: skip


def explain(source: Source, number: int, position: int) -> tuple[Diagnostic, int]:
    """What is wrong at this place of the line, and where to read on."""
    line = source.line(number)
    sign = line[position : position + 2] if line[position : position + 2] in _FOREIGN else line[position]
    end = position + len(sign)
    span = Span(source, number, position + 1, number, end + 1)
    if sign in _FOREIGN:
        code, message, help = _FOREIGN[sign]
        return Diagnostic(code, message, span, help), len(line) if code == "S048" else end
    if sign == ".":
        digits = re.compile(r"\.[0-9]+").match(line, position)
        text = digits[0] if digits else "."
        span = Span(source, number, position + 1, number, position + 1 + len(text))
        return Diagnostic("S003", "a number begins with a digit", span, f"write `0{text}`"), position + len(text)
    if sign == '"':
        span = Span(source, number, position + 1, number, len(line) + 1)
        return Diagnostic("S007", "this string is never closed", span, 'close it with `"` on the same line'), len(line)
    if sign == "'":
        return _quote(source, number, position)
    return _other(source, number, position)


def _quote(source: Source, number: int, position: int) -> tuple[Diagnostic, int]:
    """A `'` that stands behind no name: a string in single quotes, or a prime in a wrong place."""
    line = source.line(number)
    string = re.compile(r"'{1,3}[^']{0,200}'{1,3}").match(line, position)
    if string and (position == 0 or not re.match(r"[A-Za-z0-9_)\]]", line[position - 1])):
        span = Span(source, number, position + 1, number, string.end() + 1)
        text = string[0].strip("'")
        return Diagnostic("S007", "a string stands in double quotes", span, f'write `"{text}"`'), string.end()
    span = Span(source, number, position + 1, number, position + 2)
    help = "a prime stands right behind the name of a state: `v'`"
    return Diagnostic("S039", "a `'` in a wrong place", span, help), position + 1


def _other(source: Source, number: int, position: int) -> tuple[Diagnostic, int]:
    line = source.line(number)
    sign = line[position]
    end = position + 1
    if sign == "°":
        end += line[end : end + 1] in ("C", "K")
        span = Span(source, number, position + 1, number, end + 1)
        return Diagnostic("S001", "`°` is not a character of birc", span, "a temperature in Celsius is written `20 degC`"), end
    span = Span(source, number, position + 1, number, end + 1)
    if not sign.isprintable() or (sign.isspace() and not sign.isascii()):
        name = unicodedata.name(sign, "control character").lower()
        return Diagnostic("S001", f"an invisible character (U+{ord(sign):04X}, {name})", span, "delete it, or write a space"), end
    if sign in _LOOK_ALIKES:
        help = f"write `{_LOOK_ALIKES[sign]}`"
    elif sign.isalpha():
        help = "names are written with the letters A to Z, digits and `_`"
        greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(sign, ""))
        if greek:
            word = greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
            help = f"write `{'lambda_' if word == 'lambda' else word}`"
        while end < len(line) and line[end].isalpha() and not line[end].isascii():
            end += 1
        span = Span(source, number, position + 1, number, end + 1)
    else:
        return Diagnostic("S001", f"`{sign}` is not a character of birc", span), end
    return Diagnostic("S001", f"`{line[position:end]}` is not a character of birc", span, help), end
