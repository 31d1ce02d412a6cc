"""`birc check` tells of a solver that cannot work, before anything is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import birc
from birc import solvable
from birc.cli import main
from birc.ir.model import Model
from birc.ir.options import SURROGATES
from birc.sources import load

WRONG = """\
channel Steep:
    state m = 0.5
    m' = (1 - m * m) * sigmoid(v / 10 mV) / 1 ms
    outward i = 1 nS * m * v
    with solver exact on m

neuron A:
    param tau = 10 ms
    state v = 0, w = 0
    input I: 1
    tau * v' = v * v - w + I
    tau * w' = -w
    with solver exact on v
    with solver exact on w

neuron B:
    use Steep as s
    state v = 0 mV
    input I: pA
    1 pF * v' = I - s.i

check A:
    drive I = 1 for 1 ms
    expect count == 0
"""

MESSAGE = """\
error[L102]: solver exact cannot work for `{}`: its equations are not linear with constant coefficients
  wrong.birc:{}:5
  {} |     with solver exact on {}
"""


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("wrong.birc").write_text(WRONG, "utf-8")
    return "wrong.birc"


@pytest.mark.parametrize("options", [[], ["--no-run"]])
def test_a_solver_that_cannot_work_is_told_with_its_line(options: list[str], wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", wrong, *options]) == 1
    shown = capsys.readouterr().err
    assert MESSAGE.format("s.m", 5, "5", "m") in shown
    assert MESSAGE.format("v", 13, "13", "v") in shown
    assert shown.count("error[L102]") == 2


def test_the_same_from_python(wrong: str) -> None:
    with pytest.raises(birc.BircError) as caught:
        birc.check(wrong)
    assert [d.code for d in caught.value.diagnostics] == ["L102", "L102"]


def test_models_that_choose_no_solver_are_not_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they need to be: what the front end accepts without a `with solver` line, lowering accepts."""
    from birc import passes

    items = load("adex").module.items
    assert all(isinstance(i, Model) and not i.options for i in items)
    monkeypatch.setattr(passes, "run", lambda *_: pytest.fail("lowered"))
    assert solvable.faults(items) == ()


def test_the_surrogates_are_those_of_the_layers() -> None:
    """A name and its arguments mean the same in a model and in the layer emitted from it."""
    (text,) = birc.compile_model("lif_unit", target="keras").artifact.files.values()
    assert isinstance(text, str)
    functions = re.findall(r"^def surrogate_(\w+)\(x: Any(.*?)\) -> Any:", text, re.M)
    found = {name: tuple(re.findall(r"(\w+): float", rest)) for name, rest in functions if not name.endswith("_by_slope")}
    assert found == SURROGATES
