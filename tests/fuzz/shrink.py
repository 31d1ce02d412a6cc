"""Make a failing model small: drop lines with their blocks, then put parts in the place of wholes, as long as it still fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import pairwise

from birc.errors import BircError, Source, Span
from birc.frontend import ast
from birc.frontend.parser import parse

Fails = Callable[[str], bool]
Ways = tuple[Callable[[str], Iterator[str]], ...]
EXPRESSIONS = (ast.Number, ast.Bool, ast.Name, ast.Member, ast.Call, ast.Unary, ast.Binary, ast.Conditional)


def shrink(text: str, fails: Fails, limit: int = 2000, ways: Ways = (), size: Callable[[str], int] = len) -> str:
    """A small text for which `fails` still holds, after at most `limit` tries; a text that is refused does not fail.

    ways: how smaller texts are made, `WAYS` if nothing else is said.
    """
    left = limit
    progress = True
    while progress:
        progress = False
        for candidates in ways or WAYS:
            at, again = 0, True
            while again:
                again = False
                for number, candidate in enumerate(candidates(text)):
                    if number < at or size(candidate) >= size(text):
                        continue
                    left -= 1
                    if left < 0:
                        return text
                    if _holds(fails, candidate):
                        text, at, again, progress = candidate, number, True, True
                        break
    return text


def _holds(fails: Fails, text: str) -> bool:
    try:
        return fails(text)
    except BircError:
        return False


def _without_lines(text: str) -> Iterator[str]:
    """The text without one line and the block below it; from the end, because what comes late is named by nothing before it."""
    lines = text.splitlines()
    for at in range(len(lines) - 1, -1, -1):
        end = at + 1
        while end < len(lines) and _depth(lines[end]) > _depth(lines[at]):
            end += 1
        yield "\n".join(_without_lonely_colon([*lines[:at], *lines[end:]])) + "\n"


def _without_pairs(text: str) -> Iterator[str]:
    """The text without two lines that need each other, such as a state and its equation."""
    for shorter in _without_lines(text):
        kept = shorter.count("\n")
        yield from (c for c in _without_lines(shorter) if c.count("\n") < kept)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else 10**6


def _without_lonely_colon(lines: list[str]) -> list[str]:
    """`spike when c:` whose block is gone is `spike when c`."""
    out = []
    for line, below in pairwise([*lines, ""]):
        alone = line.lstrip().startswith("spike ") and line.endswith(":") and not (below.strip() and _depth(below) > _depth(line))
        out.append(line[:-1] if alone else line)
    return out


def _with_parts(text: str) -> Iterator[str]:
    """The text with one expression replaced by a part of it, or by a plain number; the largest first."""
    source = Source("shrinking.birc", text)
    try:
        module = parse(source)
    except BircError:
        return
    wholes = sorted(_expressions(module), key=lambda e: -_length(source, e.span))
    for whole in wholes:
        start, stop = _stretch(source, whole.span)
        for part in sorted(_direct_parts(whole), key=lambda e: _length(source, e.span)):
            low, high = _stretch(source, part.span)
            yield f"{text[:start]}({text[low:high]}){text[stop:]}"
            yield f"{text[:start]}{text[low:high]}{text[stop:]}"
        if not isinstance(whole, (ast.Number, ast.Name)):
            yield f"{text[:start]}1{text[stop:]}"


def _expressions(node: object) -> Iterator[ast.Expr]:
    """All expressions of a tree (iteratively)."""
    stack = [node]
    while stack:
        found = stack.pop()
        if isinstance(found, EXPRESSIONS):
            yield found
        if isinstance(found, tuple):
            stack.extend(found)
        elif dataclasses.is_dataclass(found) and not isinstance(found, (Span, Source)):
            stack.extend(getattr(found, f.name) for f in dataclasses.fields(found))


def _direct_parts(whole: ast.Expr) -> list[ast.Expr]:
    match whole:
        case ast.Unary(operand=operand):
            return [operand]
        case ast.Binary(left=left, right=right):
            return [left, right]
        case ast.Conditional(then=then, otherwise=otherwise):
            return [then, otherwise]
        case ast.Call(args=args):
            return list(args)
        case _:
            return []


def _stretch(source: Source, span: Span) -> tuple[int, int]:
    """Where a span begins and ends in the text."""
    starts = [0]
    for line in source.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1


def _length(source: Source, span: Span) -> int:
    start, stop = _stretch(source, span)
    return stop - start


WAYS: Ways = (_without_lines, _without_pairs, _with_parts)
"""Lines with their blocks, two of them, parts of expressions."""
