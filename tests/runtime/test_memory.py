"""What counts as free memory, and the refusal of what would not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc.errors import BircError
from birc.runtime import memory


def test_a_control_group_limits_what_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    monkeypatch.setattr(memory, "_GROUPS", ((tmp_path, "memory.max", "memory.current", ("inactive_file",)),))
    assert memory.available_memory() == 8000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5000000\n")
    (tmp_path / "memory.stat").write_text("anon 4000000\ninactive_file 1000000\n")
    assert memory.available_memory() == 8000 * 1024
    (tmp_path / "memory.max").write_text("7000000\n")
    assert memory.available_memory() == 3_000_000
    (tmp_path / "memory.max").write_text("100\n")
    assert memory.available_memory() == 0


def test_a_machine_that_does_not_tell_is_believed_to_have_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    monkeypatch.setattr(memory, "_GROUPS", ())
    assert memory.available_memory() > 1 << 26


def test_what_does_not_fit_is_refused_with_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000)
    memory.require(9000, "this", "less")
    with pytest.raises(BircError) as caught:
        memory.require(9001, "this", "ask for less")
    assert str(caught.value) == "error[I145]: this would take 9.0 kB of memory, and 9.0 kB are free\n  help: ask for less"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (8e12, "8.0 TB"), (3e15, "3.0 PB"), (8e18, "8 EB")]
)
def test_sizes_are_readable(size: float, text: str) -> None:
    assert memory.readable(size) == text
