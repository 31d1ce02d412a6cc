"""One folder, one artifact: nothing is replaced by something else without a word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from birc import driver
from birc.cli import main
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


@pytest.mark.parametrize("target", ["numpy", "native", "cuda", "keras"])
def test_parameters_that_are_set_are_in_the_manifest_and_in_the_text(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["compile", "lif", "--target", target, "--set", "tau_m=7 ms", "-o", str(out)]) == 0
    assert json.loads((out / "manifest.json").read_text())["bind"]["tau_m"] == 7.0
    told = capsys.readouterr().out.splitlines()[1:]
    assert [line.strip() for line in told] == sorted(p.name for p in out.iterdir() if not p.name.startswith("."))
    if target == "keras":
        assert re.search(r'"tau_m": Parameter\(\s*"tau_m", 7\.0,', (out / "LIF.py").read_text())


def test_a_graph_is_told_among_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("nir", reason='needs nir: pip install "birc[nir]"')
    assert main(["compile", "lif", "--target", "nir", "--set", "t_ref=0 ms", "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "  model.nir\n" in said.out
    assert "warning[L329]" in said.err
    assert main(["compile", "lif", "--target", "nir", "--set", "t_ref=0 ms", "--set", "tau=0 ms", "-o", str(tmp_path / "no")]) == 2
    assert "did you mean `tau_s`?" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
