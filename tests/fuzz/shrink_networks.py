"""Make a failing network small: as models are, and by dropping what a projection says of itself, and cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.fuzz.networks import Fuzzed
from tests.fuzz.shrink import WAYS, shrink

COUNT = re.compile(r"\[(\d+)\]")


def shrink_network(fuzzed: Fuzzed, fails: Callable[[Fuzzed], bool], limit: int = 2000) -> Fuzzed:
    """A small network for which `fails` still holds, with the files that it reads; a text that is refused does not fail."""

    def still(text: str) -> bool:
        return "\nnetwork " in text and fails(replace(fuzzed, text=text))

    text = shrink(fuzzed.text, still, limit, (*WAYS, without_parts, with_fewer_cells), size)
    return replace(fuzzed, text=text, files={name: rows for name, rows in fuzzed.files.items() if name in text})


def size(text: str) -> int:
    """Characters and cells."""
    return len(text) + sum(int(count) for count in COUNT.findall(text))


def without_parts(text: str) -> Iterator[str]:
    """The text without one of the parts of a line that commas separate, or without a pair of brackets that holds one."""
    for at, character in enumerate(text):
        end = _end(text, at + 1)
        if character == ",":
            yield text[:at] + text[end:]
        elif character == "(" and text[end] == ",":
            yield text[: at + 1] + text[end + 1 :].lstrip()
        elif character == "(" and text[end] == ")":
            yield text[:at] + text[end + 1 :]


def _end(text: str, at: int) -> int:
    """Where a part ends: at a comma, a closing bracket or the end of the line, all of it outside of brackets that open in it."""
    depth = 0
    for end in range(at, len(text)):
        if depth == 0 and text[end] in ",)\n":
            return end
        depth += {"(": 1, ")": -1}.get(text[end], 0)
    return len(text) - 1


def with_fewer_cells(text: str) -> Iterator[str]:
    """The text with one population or source of a single cell, or of half as many."""
    for found in COUNT.finditer(text):
        for fewer in (1, int(found[1]) // 2):
            if 1 <= fewer < int(found[1]):
                yield f"{text[: found.start()]}[{fewer}]{text[found.end() :]}"
