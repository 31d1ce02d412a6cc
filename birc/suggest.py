"""Did you mean …?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_NAME = 80
"""Names beyond this length are not compared: the comparison takes time quadratic in the length."""


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate a person most likely meant by `name`; None where nothing is near."""
    if len(name) > LONGEST_NAME:
        return None
    known = [candidate for candidate in dict.fromkeys(candidates) if candidate != name and len(candidate) <= LONGEST_NAME]
    for candidate in known:
        if candidate.lower() == name.lower():
            return candidate
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7 if len(name) > 3 else 0.6)
    return near[0] if near else None


def meant(name: str, candidates: Iterable[str], what: str) -> str:
    """The help of a message about a name that is not among `candidates`: the nearest, and all that there are; what: their plural."""
    known = list(dict.fromkeys(candidates))
    near = closest(name, known)
    there = f"{what}: {', '.join(known) or 'none'}"
    return f"did you mean `{near}`? {there}" if near else there
