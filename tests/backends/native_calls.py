"""What calls of a network's library decide, seen from outside."""

from __future__ import annotations

from typing import Any

import pytest

from birc.backends.native.network import call


def watched(monkeypatch: pytest.MonkeyPatch, what: str) -> list[frozenset[str]]:
    """An attribute of each call, `turned` or `driven`, as they are made; threads are used whatever the size."""
    found: list[frozenset[str]] = []

    class Watched(call.Call):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            found.append(getattr(self, what))

    monkeypatch.setattr("birc.backends.native.network.run.Call", Watched)
    monkeypatch.setattr(call, "NEURONS", 1)
    return found
