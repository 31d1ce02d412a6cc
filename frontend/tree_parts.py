"""From the parts of a grammar rule to a node: expressions, and the pieces that statements are made of (see `tree.py`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from birc.errors import BircError, Span
from birc.frontend import ast
from birc.frontend.tokens import Token

Parts = list[Any]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands between the brackets of a call, or behind a colon."""

    positional: tuple[ast.Expr, ...]
    keywords: tuple[ast.Keyword, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """What stands between square brackets."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True)
class Many:
    """Names, or variables, between commas."""

    names: tuple[ast.Name, ...]
    span: Span


def span_of(parts: Parts) -> Span:
    """From the first part to the last."""
    first, last = parts[0].span, parts[-1].span
    return Span(first.source, first.line, first.column, last.end_line, last.end_column)


def every(parts: Parts, kind: type[Any]) -> tuple[Any, ...]:
    """The parts of one kind."""
    return tuple(part for part in parts if isinstance(part, kind))


def behind(parts: Parts, word: str) -> Any:
    """The part behind a token of this type; None without one."""
    for token, part in pairwise(parts):
        if isinstance(token, Token) and token.type == word:
            return part
    return None


def has(parts: Parts, word: str) -> bool:
    """Whether a token of this type is among the parts."""
    return any(isinstance(part, Token) and part.type == word for part in parts)


def keywords_only(arguments: Arguments | None, what: str) -> tuple[ast.Keyword, ...]:
    """Arguments in a place where each has a name."""
    if arguments is None:
        return ()
    for value in arguments.positional:
        raise BircError("S045", f"{what} are written with their names", value.span, "write `name = value`")
    return arguments.keywords


def arguments_in(parts: Parts) -> Arguments | None:
    """The arguments among the parts, if there are any."""
    found = every(parts, Arguments)
    return found[0] if found else None


_BINARY: dict[str, ast.BinaryOp] = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq",
    "!=": "ne", "and": "and", "or": "or",
}  # fmt: skip


def conditional(parts: Parts) -> ast.Conditional:
    return ast.Conditional(parts[1], parts[3], parts[5], span_of(parts))


def binary(parts: Parts) -> ast.Binary:
    left, sign, right = parts
    return ast.Binary(_BINARY[sign.text], left, right, span_of(parts), sign.span)


def unary(parts: Parts) -> ast.Unary:
    return ast.Unary("neg" if parts[0].text == "-" else "not", parts[1], span_of(parts))


def number(parts: Parts) -> ast.Number:
    if len(parts) == 1:
        return ast.Number(parts[0].text, None, parts[0].span)
    return ast.Number(parts[0].text, parts[1].text, span_of(parts), parts[1].span)


def name_of(parts: Parts) -> ast.Name:
    name = parts[0].text.rstrip("'")
    return ast.Name(name, parts[0].span, len(parts[0].text) - len(name))


def boolean(parts: Parts) -> ast.Bool:
    return ast.Bool(parts[0].text == "true", parts[0].span)


def text(parts: Parts) -> ast.Text:
    return ast.Text(parts[0].text[1:-1], parts[0].span)


def brackets(parts: Parts) -> ast.Expr:
    inner: ast.Expr = parts[1]
    return replace(inner, span=span_of(parts))


def member_of(parts: Parts) -> ast.Member:
    return ast.Member(parts[0], parts[2].text, span_of(parts))


def call(parts: Parts) -> ast.Call:
    function = parts[0]
    arguments = arguments_in(parts)
    if isinstance(function, ast.Call | ast.Slice):
        help = "a product needs its sign: `f(x) * (y)`"
        raise BircError("S033", "only a name or a path can be called", function.span, help)
    if arguments is None:
        return ast.Call(function, (), (), span_of(parts))
    return ast.Call(function, arguments.positional, arguments.keywords, span_of(parts))


def slice(parts: Parts) -> ast.Slice:
    index: Index = parts[2]
    return ast.Slice(parts[0], index.start, index.stop, span_of(parts))


def index(parts: Parts) -> Index:
    """`[a:b]`; a single number stands for a slice of one."""
    numbers = [part for part in parts if part.type == "NUMBER"]
    for token in numbers:
        if not token.text.isdigit() or len(token.text) > 18:
            raise BircError("S033", "an index is a whole number", token.span)
    if len(parts) == 1:
        return Index(int(parts[0].text), int(parts[0].text) + 1)
    start = int(parts[0].text) if parts[0].type == "NUMBER" else None
    stop = int(parts[-1].text) if parts[-1].type == "NUMBER" else None
    return Index(start, stop)


def arguments(parts: Parts) -> Arguments:
    entries = parts[::2]
    named = False
    for entry in entries:
        if named and not isinstance(entry, ast.Keyword):
            raise BircError("S045", "an argument without a name stands behind one with a name", entry.span, "put it first")
        named = isinstance(entry, ast.Keyword)
    return Arguments(tuple(entry for entry in entries if not isinstance(entry, ast.Keyword)), every(entries, ast.Keyword), span_of(parts))


def keyword(parts: Parts) -> ast.Keyword:
    name, _, value = parts
    return ast.Keyword(name.text, value, span_of(parts), name.span)


def interval(parts: Parts) -> ast.Interval:
    opener, low, _, high, closer = parts
    return ast.Interval(low, high, opener.text == "[", closer.text == "]", span_of(parts))


def unit(parts: Parts) -> ast.UnitName:
    token = parts[0]
    if token.type == "NUMBER" and token.text != "1":
        raise BircError("S053", "a unit stands here, without a number", token.span, "write the unit, such as `pA`, or `1` for none")
    return ast.UnitName(token.text, token.span)


def names(parts: Parts) -> Many:
    return Many(tuple(ast.Name(token.text, token.span) for token in parts[::2]), span_of(parts))


def variables(parts: Parts) -> Many:
    return Many(tuple(parts[::2]), span_of(parts))


def dotted(parts: Parts) -> ast.Name | ast.Member:
    path: ast.Name | ast.Member = ast.Name(parts[0].text, parts[0].span)
    for token in parts[2::2]:
        path = ast.Member(path, token.text, path.span.to(token.span))
    return path


PARTS: dict[str, Callable[[Parts], Any]] = {
    function.__name__: function
    for function in (
        conditional, binary, unary, number, name_of, boolean, text, brackets, member_of, call, slice, index, arguments, keyword,
        interval, unit, names, variables, dotted,
    )
}  # fmt: skip
