"""`--tables`: what a user asks for, what an artifact says of it, runs that leave a range, and how near the numbers stay."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import birc
from birc import driver
from birc.cli import main
from birc.errors import BircError
from birc.tabulation import WITHOUT, with_tables
from birc.verification import tabulated, verify_tables
from birc.verification.variety import tabled
from tests.passes.programs import LIBRARY, lowered

WIDE = "1e-6, v in [-120 mV, 80 mV]"


def hh(target: str = "native", tables: str | None = WIDE, **options: Any) -> driver.Compiled:
    return birc.compile_model("hodgkin_huxley", target=target, dt="0.01 ms", tables=tables, **options)


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ("", "A022", "is no error"),
        ("v in [-120 mV, 80 mV]", "A022", "is no error"),
        ("0", "A022", "is no error"),
        ("1.5", "A022", "is no error"),
        ("nan", "A022", "is no error"),
        ("1e-6, v from 0 to 1", "A022", "is no range"),
        ("1e-6,", "A022", "is no range"),
        ("1e-6, v in [80 mV, -120 mV]", "A022", "empty or without end"),
        ("1e-6, v in [-inf * 1 mV, 80 mV]", "A022", "empty or without end"),
        ("1e-6, w in [0 mV, 1 mV]", "A023", "no state `w`"),
        ("1e-6, v in [-120 mV, 80 mV], na.m in [0, 1]", "A023", "no table over `na.m`"),
        ("1e-6, v in [0 mV, 1 mV], v in [0 mV, 2 mV]", "A003", "names `v` twice"),
        ("1e-6, v in [0 s, 1 s]", "U112", "of the range of `v`"),
        ("1e-6", "L130", "a table over `v` needs its range"),
    ],
)
def test_a_wish_that_cannot_be_met(request_: str, code: str, words: str) -> None:
    with pytest.raises(BircError) as refused:
        with_tables(lowered(LIBRARY["HH"], skip=WITHOUT), request_)
    assert refused.value.code == code and words in str(refused.value)


def test_nothing_to_tabulate_is_a_warning() -> None:
    compiled = birc.compile("lif", tables="1e-6")
    assert [w.code for w in compiled.warnings] == ["L131"] and compiled.step.tables == ()


def test_never_by_default() -> None:
    assert hh(tables=None).step.tables == ()


def test_the_artifact_names_them(tmp_path: Path) -> None:
    compiled = hh(solver="exponential")
    said = "v.t0: table of 6 functions of v in [-120 mV, 80 mV], relative error 1e-06"
    assert said in compiled.artifact.manifest["approximations"]
    manifest = json.loads((compiled.write(tmp_path / "out") / "manifest.json").read_text("utf-8"))
    assert np.shape(manifest["tables"]["v.t0"]["coefficients"])[0] == 6
    rows = driver.explain("hodgkin_huxley", solver="exponential", tables=WIDE)
    assert [(row.variable, row.method) for row in rows][-1] == ("v.t0", "table")


@pytest.mark.parametrize("target", ["numpy", "native"])
def test_spikes_of_a_run_are_those_without(target: str) -> None:
    """HH over 60 ms from no drive to a strong one: the same spikes, and a membrane that differs by microvolts."""
    drive = {"I": "linspace(0 uA/cm^2, 20 uA/cm^2)"}
    rough, exact = (hh(target, tables, solver="exponential").run("60 ms", n=8, inputs=drive, record="v") for tables in (WIDE, None))
    assert all((a == b).all() for a, b in zip(rough.spikes, exact.spikes, strict=True)) and len(rough.spikes[0]) > 10
    assert 0 < np.abs(rough.v - exact.v).max() < 1e-3


def test_tables_follow_the_parameters_of_a_run(tmp_path: Path) -> None:
    text = "neuron A:\n    param k = 1\n    state v = 0.5 in [-1, 2]\n    step v = tanh(exp(sin(k * v)))\n"
    file = tmp_path / "a.birc"
    file.write_text(text, "utf-8")
    compiled = birc.compile(file, tables="1e-8", target="native")
    assert compiled.step.tables
    for k in (1.0, 3.0):
        out = compiled.run(steps=1, params={"k": k}, record="v")
        assert out.v[0, 0] == pytest.approx(np.tanh(np.exp(np.sin(k * 0.5))), rel=3e-8)
    with pytest.raises(BircError) as refused:
        compiled.run(steps=1, n=2, params={"k": [1.0, 2.0]})
    assert refused.value.code == "I137"


def test_a_range_that_is_left_ends_the_run_with_its_place() -> None:
    with pytest.raises(BircError) as left:
        hh(tables="1e-6, v in [-80 mV, 20 mV]").run("20 ms", n=3, inputs={"I": "linspace(0 uA/cm^2, 20 uA/cm^2)"})
    message = str(left.value)
    assert left.value.code == "R002" and "`v` of neuron 2 left the range [-80 mV, 20 mV] of its table at stamp" in message
    with pytest.raises(BircError) as outside:
        hh().run("1 ms", init={"v": "-130 mV"})
    assert outside.value.code == "R002" and "it was -130 mV before" in str(outside.value)


def test_an_error_that_cannot_be_kept() -> None:
    with pytest.raises(BircError) as refused:
        hh(dtype="f32", tables="1e-9, v in [-120 mV, 80 mV]").run("1 ms")
    assert refused.value.code == "I139"


def test_verification_reports_the_tables_and_the_targets(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", "hodgkin_huxley", "--dt", "0.01 ms", "--solver", "exponential", "--for", "2 ms", "--tables", WIDE]
    assert main([*arguments, "--target", "native", "--target", "numpy", "--json"]) == 0
    rows = {row["target"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tables"]["status"] == "pass" and 0 < rows["tables"]["worst"] < 1e-6
    assert rows["native"]["status"] == rows["numpy"]["status"] == "pass"


def test_neurons_of_a_trial_share_what_tables_rest_on_and_differ_in_the_rest() -> None:
    step = hh(solver="exponential").step
    assert tabled(step) == {"na.T", "k.T"} and tabled(lowered(LIBRARY["HH"])) == frozenset()


def test_a_table_that_is_off_by_more_than_it_says_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    step = driver.lower(LIBRARY["HH"], "exponential", WITHOUT)[1]
    rough = with_tables(step, WIDE)[0]
    assert verify_tables(step, rough, dt="0.01 ms", duration="1 ms").status == "pass"
    whole = tabulated._moved

    def smaller(tables: Any, program: Any) -> Any:
        """Bounds of tables that claim a thousandth of their error."""
        return whole(tables, replace(program, tables=tuple(replace(t, error=t.error / 1000) for t in program.tables)))

    monkeypatch.setattr(tabulated, "_moved", smaller)
    found = verify_tables(step, rough, dt="0.01 ms", duration="1 ms")
    assert found.status == "fail" and "more than the" in found.reason
