"""Tables in the neurons of networks: the same on every target, near what they stand for, and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import birc
from birc.backends import Dtype, load_backend
from birc.driver import explain, verify
from birc.errors import BircError
from birc.networks import CompiledNetwork
from birc.runtime.network.result import NetworkResult
from tests.bench.network_cases import NETWORKS
from tests.networks.written import RELAY, compiled

CELLS = """
neuron Gated:
    state v = -60 mV, m = 0.1, g = 0 mV
    input I: mV/ms
    m' = 0.5 ms^-1 / (1 + exp(-(v + 40 mV) / (8 mV))) * (1 - m) - 0.5 ms^-1 * exp(-(v + 65 mV) / (18 mV)) * m
    v' = (g - v - 60 mV) / (10 ms) + m * (20 mV - v) / (20 ms)
    5 ms * g' = -g
    with solver exponential on v, m
    on exc(w: mV): g += w
    on kick(w: mV): v += w * (1 - m)
    spike when v > -45 mV:
        v = -65 mV

neuron Other:
    state v = -60 mV, h = 0
    h' = 1 ms^-1 * exp((v + 60 mV) / (20 mV)) * (1 - h) - exp(-(v + 65 mV) / (8 mV)) * h * 1 ms^-1
    v' = (-v - 60 mV) / (10 ms) - h * (v + 80 mV) / (50 ms)
    with solver exponential on v, h
    on exc(w: mV): v += w
    spike when v > -50 mV:
        v = -65 mV

network N:
    source s: poisson(rate = 400 Hz)[200]
    population A: Gated(v = uniform(-65 mV, -50 mV))[200]
    population B: Other[150]
    project s -> A.exc: w = 15 mV, random(p = 0.01)
    project A -> B.exc: w = 6 mV, random(p = 0.05), axon = 1 ms
    project B -> A.kick: w = 2 mV, random(p = 0.02), axon = 1 ms
    record A.m, B.h
"""
WIDE = "1e-6, v in [-200 mV, 100 mV]"


def ran(target: str, dtype: Dtype = "f64", tables: str | None = WIDE, **options: Any) -> tuple[CompiledNetwork, NetworkResult]:
    made = compiled(CELLS, target, dt="0.1 ms", dtype=dtype, tables=tables)
    return made, made.run("60 ms", seed=2, **options)


def needs(target: str) -> None:
    if load_backend(target).missing():
        pytest.skip("no C++ compiler")


@pytest.mark.parametrize(("dtype", "bound"), [("f64", 1e-13), ("f32", 1e-5)])
def test_native_has_what_the_reference_has(dtype: Dtype, bound: float) -> None:
    needs("native")
    (program, one), (_, two) = (ran(target, dtype) for target in ("numpy", "native"))
    assert all(p.step.tables for p in program.program.populations)
    for group in ("A", "B"):
        assert len(one[group].index) > 50
        np.testing.assert_array_equal(one[group].index, two[group].index)
        np.testing.assert_array_equal(one[group].stamps, two[group].stamps)
    np.testing.assert_allclose(one["A"].m, two["A"].m, rtol=bound)
    np.testing.assert_allclose(one["B"].h, two["B"].h, rtol=bound)


def test_it_is_near_the_run_without() -> None:
    (_, one), (_, two) = (ran("numpy", tables=tables) for tables in (WIDE, None))
    np.testing.assert_allclose(one["A"].m[:20], two["A"].m[:20], atol=1e-5)
    np.testing.assert_allclose(one["B"].h[:20], two["B"].h[:20], atol=1e-5)
    assert not np.array_equal(one["A"].m[:20], two["A"].m[:20])


@pytest.mark.parametrize("target", ["numpy", "native"])
def test_verified(target: str, tmp_path: Path) -> None:
    needs(target)
    file = tmp_path / "net.birc"
    file.write_text(CELLS, "utf-8")
    (report,) = verify(file, [target], dt="0.1 ms", duration="60 ms", tables=WIDE)
    assert report.status == "pass"


def test_they_are_told() -> None:
    made, _ = ran("numpy")
    manifest = made.artifact.manifest["tables"]
    assert manifest.keys() == {"A", "B"} and all("[-200 mV, 100 mV], relative error 1e-06" in text for text in manifest["A"])
    rows = explain(NETWORKS / "coba_hh.birc", tables=WIDE)
    assert {row.variable for row in rows if row.method == "table"} == {"E.v.t0", "I.v.t0"}


def test_a_state_that_leaves_its_tables_stops_the_run() -> None:
    with pytest.raises(BircError) as stopped:
        ran("numpy", tables="1e-6, v in [-62 mV, 0 mV]")
    assert stopped.value.code == "R001"


@pytest.mark.parametrize(
    ("tables", "code", "words"),
    [
        ("1e-6", "L130", "a table over `v` needs its range"),
        ("1e-6, u in [0 mV, 1 mV]", "A023", "no state `u`"),
        ("1e-6, v in [-200 mV, 100 mV], g in [0 mV, 1 mV]", "A023", "`N` has no table over `g`"),
    ],
)
def test_a_wish_that_cannot_be_met(tables: str, code: str, words: str) -> None:
    with pytest.raises(BircError) as refused:
        compiled(CELLS, tables=tables)
    assert refused.value.code == code and words in str(refused.value)


def test_nothing_to_tabulate_is_a_warning() -> None:
    made = compiled(f"{RELAY}\nnetwork N:\n    population A: Relay[2]\n", tables="1e-6")
    assert [w.code for w in made.warnings] == ["L131"]


def test_a_network_takes_them_in_python() -> None:
    made = birc.compile(NETWORKS / "coba_hh.birc", tables=WIDE)
    assert made.program.populations[0].step.tables
