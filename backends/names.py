"""Names of a program as identifiers of a target: readable, unique, never a reserved word, and reversible by the table itself."""

from __future__ import annotations

import re
from collections.abc import Iterable


def identifiers(names: Iterable[str], reserved: frozenset[str]) -> dict[str, str]:
    """An identifier for each name, the same for the same names in the same order.

    `v` stays `v`, `v.1` becomes `v_1`, `.busy` `busy`, `x'` `x_prime`; one that is taken or reserved gets underscores behind it.
    Plain names come first, so that what the compiler named gives way to what the user named.
    """
    unique = list(dict.fromkeys(names))
    taken = set(reserved)
    found: dict[str, str] = {}
    for name in sorted(unique, key=lambda n: "." in n or "'" in n):
        word = re.sub(r"[^A-Za-z0-9_]", "_", name.lstrip(".").replace("'", "_prime")) or "_"
        if word[0].isdigit() or word[0] == "_":
            word = "x" + word
        while word in taken:
            word += "_"
        taken.add(word)
        found[name] = word
    return {name: found[name] for name in unique}


def file_name(name: str) -> str:
    """A model's name as a file name, which cannot leave its folder."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name) or "_"
