"""Progress where there is no terminal: lines with the share done, the rate and the time left, and only for what takes long."""

from __future__ import annotations

import pytest

from birc.cli import show


def test_short_work_says_nothing_and_long_work_says_how_long(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    monkeypatch.setattr("birc.cli.show.time.monotonic", lambda: now[0])
    with show.progress("HH on native", 1000) as tell:
        assert tell is not None
        tell(10, 10_000)
        now[0] += 9.0
        tell(500, 10_000)
        assert capsys.readouterr().err == ""
        now[0] += 11.0
        tell(2_500, 10_000)
        assert capsys.readouterr().err == "HH on native: 25 %, 125 k updates/s, about 60 s left\n"
        now[0] += 1.0
        tell(5_000, 10_000)
        now[0] += 20.0
        tell(10_000, 10_000)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (89.0, "89 s"), (90.0, "2 min"), (5399.0, "90 min"), (9000.0, "2.5 h")])
def test_stretches_of_time_are_readable(seconds: float, text: str) -> None:
    assert show.span_of(seconds) == text


@pytest.mark.parametrize(("rate", "text"), [(3.2e9, "3.2 G"), (9.4e7, "94 M"), (1234.0, "1.23 k"), (12.0, "12")])
def test_rates_are_readable(rate: float, text: str) -> None:
    assert show.rate_of(int(rate), 1, 1.0) == f"{text} updates/s"
    assert show.rate_of(None, 1, 1.0) == show.rate_of(1, 0, 1.0) == show.rate_of(1, 1, 0.0) == ""
