"""One folder, one artifact: nothing is replaced by something else without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc import driver
from birc.errors import BircError

TWO = """neuron Cell:
    state v = 0
    v' = -v / 1 ms

neuron CELL:
    state v = 1
    v' = -v / 2 ms
"""


def test_the_same_again_replaces(tmp_path: Path) -> None:
    first = driver.compile("lif").write(tmp_path / "out")
    before = sorted(p.name for p in first.iterdir())
    assert sorted(p.name for p in driver.compile("lif", dt="0.2 ms").write(tmp_path / "out").iterdir()) == before


def test_models_that_differ_by_case_do_not_replace_one_another(tmp_path: Path) -> None:
    (tmp_path / "two.birc").write_text(TWO)
    driver.compile(tmp_path / "two.birc", model="Cell").write(tmp_path / "out")
    with pytest.raises(BircError) as error:
        driver.compile(tmp_path / "two.birc", model="CELL").write(tmp_path / "out")
    assert error.value.code == "I153"
    assert (tmp_path / "out" / "Cell.py").exists()


def test_another_target_needs_force(tmp_path: Path) -> None:
    driver.compile("lif").write(tmp_path / "out")
    with pytest.raises(BircError, match="I153"):
        driver.compile("lif", "native").write(tmp_path / "out")
    driver.compile("lif", "native").write(tmp_path / "out", force=True)
    assert (tmp_path / "out" / "LIF.cpp").exists()
