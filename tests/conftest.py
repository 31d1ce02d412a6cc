"""What all tests share: comparison with golden files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Golden:
    """Compares text with a file below the tests, or rewrites that file on request."""

    update: bool

    def check(self, name: str, actual: str) -> None:
        """Assert that the file `name` (below `tests`) holds `actual`."""
        path = Path(__file__).parent / name
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, encoding="utf-8")
        assert path.exists(), f"no {path}: run pytest --update-golden, then read the diff"
        assert actual == path.read_text(encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files, then read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(bool(request.config.getoption("--update-golden")))
