"""Programs that read NIR, each against a run with its own profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.backends.nir import readers
from tests.backends.nir_models import CUBA, INTEGRATE, PLAIN, compiled, graph_of

pytest.importorskip("nir", reason='needs nir: pip install "birc[nir]"')


def samples(ports: list[dict[str, str]], amplitude: float, steps: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    columns = []
    for port in ports:
        size = rng.uniform(0, amplitude, steps)
        columns.append(size if port["kind"] == "current" else size * (rng.random(steps) < 0.05) * (0.3 if port["port"] == "inh" else 1.0))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("reader", ["norse", "snntorch"])
@pytest.mark.parametrize(
    ("text", "amplitude"), [(PLAIN, 2.0), (CUBA, 2000.0), (CUBA.replace("v_reset = -70 mV", "v_reset = -60 mV"), 2000.0)]
)
def test_readers_spike_as_their_profile_says(tmp_path: Path, reader: str, text: str, amplitude: float) -> None:
    lacking = readers.missing(reader)
    if lacking is not None:
        pytest.skip(f"needs {lacking.what}: {lacking.how}")
    data, _, meaning = graph_of(compiled(text, tmp_path, dtype="f32", dt="0.1 ms"))
    given = samples(meaning["input"], amplitude, 1500, 1)
    wanted, margin = readers.expected(reader, data, given, 1e-4)
    assert wanted.sum() > 10
    assert margin > 1e-5
    np.testing.assert_array_equal(readers.run(reader, data, given, 1e-4), wanted)
    other, _ = readers.expected(reader, data, 1.01 * given, 1e-4)
    assert (other != wanted).any()


def test_norse_advances_an_integrator_by_a_second(tmp_path: Path) -> None:
    lacking = readers.missing("norse")
    if lacking is not None:
        pytest.skip(f"needs {lacking.what}: {lacking.how}")
    data, _, meaning = graph_of(compiled(INTEGRATE, tmp_path, dtype="f32"))
    given = samples(meaning["input"], 50.0, 200, 2)
    wanted, margin = readers.expected("norse", data, given, 1e-4)
    assert 10 < wanted.sum() < 190
    assert margin > 1e-5
    np.testing.assert_array_equal(readers.run("norse", data, given, 1e-4), wanted)
