"""Programs that read NIR, each against a run with its own profile."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import Artifact, Job, Spikes
from birc.backends.nir import portable, readers
from birc.backends.nir.readers import READERS, RUNS, NirReader, profiled
from birc.cli import main
from birc.verification import Report
from tests.backends.nir_models import CUBA, FILTER, INTEGRATE, PLAIN, compiled, graph_of

pytest.importorskip("nir", reason='needs nir: pip install "birc[nir]"')

NORSE, SNNTORCH = READERS
FAR = CUBA.replace("v_reset = -70 mV", "v_reset = -60 mV")


def installed(reader: NirReader) -> NirReader:
    lacking = reader.missing()
    if lacking is not None:
        pytest.skip(f"needs {lacking.what}: {lacking.how}")
    return reader


def samples(ports: list[dict[str, str]], amplitude: float, steps: int, seed: int) -> Any:
    """Random samples [steps, 3, ports]."""
    rng = np.random.default_rng(seed)
    columns = []
    for port in ports:
        size = rng.uniform(0, amplitude, (steps, 3))
        weight = 0.3 if port["port"] == "inh" else 1.0
        columns.append(size if port["kind"] == "current" else size * weight * (rng.random((steps, 3)) < 0.05))
    return np.stack(columns, axis=2)


@pytest.mark.parametrize("reader", READERS, ids=lambda r: r.name)
@pytest.mark.parametrize(("text", "amplitude"), [(PLAIN, 2.0), (CUBA, 2000.0), (FAR, 2000.0)])
def test_readers_spike_as_their_profile_says(tmp_path: Path, reader: NirReader, text: str, amplitude: float) -> None:
    installed(reader)
    data, graph, meaning = graph_of(compiled(text, tmp_path, dtype="f32", dt="0.1 ms"))
    given = samples(meaning["input"], amplitude, 1500, 1)
    wanted, margin = profiled(reader.profile, data, given, 1e-4)
    assert wanted.sum(axis=0).min() > 10
    assert margin.min() > 1e-7
    np.testing.assert_array_equal(RUNS[reader.name](graph, given, 1e-4), wanted)
    other, _ = profiled(reader.profile, data, 1.01 * given, 1e-4)
    assert (other != wanted).any()


def test_norse_advances_an_integrator_by_a_second(tmp_path: Path) -> None:
    installed(NORSE)
    data, graph, meaning = graph_of(compiled(INTEGRATE, tmp_path, dtype="f32"))
    given = samples(meaning["input"], 50.0, 200, 2)
    wanted, margin = profiled(NORSE.profile, data, given, 1e-4)
    assert 30 < wanted.sum() < 570
    assert margin.min() > 1e-6
    np.testing.assert_array_equal(RUNS["norse"](graph, given, 1e-4), wanted)


# --- in `birc verify`


def verified(text: str, folder: Path, **options: Any) -> dict[str, Report]:
    """The reports of a model's readers, by name."""
    file = folder / "model.birc"
    file.write_text(text)
    own, *others = driver.verify(file, ["nir"], **options)
    assert (own.status, own.who, own.reader) == ("pass", "nir", "")
    assert [r.who for r in others] == ["nir/norse", "nir/snntorch"]
    return {r.reader: r for r in others}


@pytest.mark.parametrize("text", [PLAIN, CUBA])
def test_verify_runs_every_reader(tmp_path: Path, text: str) -> None:
    for reader in READERS:
        installed(reader)
    found = verified(text, tmp_path)
    assert {name: (r.status, r.level, r.reason) for name, r in found.items()} == dict.fromkeys(("norse", "snntorch"), ("pass", "L2", ""))
    assert all(r.profile.startswith("forward Euler at 0.1 ms, reset to rest: ") for r in found.values())


@pytest.mark.parametrize(("text", "change"), [(CUBA, {"shift": 1}), (FAR, {"reset": "value"})])
def test_another_profile_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, change: dict[str, Any]) -> None:
    installed(NORSE)
    wrong = NirReader(replace(NORSE.profile, **change))
    monkeypatch.setattr(readers, "READERS", (wrong, SNNTORCH))
    report = verified(text, tmp_path)["norse"]
    assert (report.status, report.level) == ("fail", "")
    assert report.reason.endswith("against its profile")


def test_another_step_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(NORSE)
    right = RUNS["norse"]
    monkeypatch.setitem(RUNS, "norse", lambda graph, given, dt: right(graph, given, 1.01 * dt))
    assert verified(CUBA, tmp_path)["norse"].status == "fail"


def test_a_graph_outside_of_what_a_reader_reads_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "find_spec", lambda name: object())
    monkeypatch.setattr(readers, "RUNS", {})

    def reasons(text: str, **options: Any) -> dict[str, str]:
        found = verified(text, tmp_path, **options)
        assert {r.status for r in found.values()} <= {"refused", "fail"}
        return {name: r.reason for name, r in found.items() if r.status == "refused"}

    rest = "profile: resets to rest, whatever v_reset says"
    assert reasons(FAR) == {"norse": rest, "snntorch": rest}
    assert reasons(FAR, dt="0.2 ms")["snntorch"] == f"{rest}; runs at a step of 0.1 ms, and the graph was made for 0.2 ms"
    assert reasons(CUBA, dt="0.2 ms") == {"snntorch": "profile: runs at a step of 0.1 ms, and the graph was made for 0.2 ms"}
    assert reasons(INTEGRATE) == {
        "norse": "profile: advances IF by 1 s in each step; divide its samples by the steps per second",
        "snntorch": "profile: does not read IF",
    }
    assert reasons(FILTER) == {"norse": "profile: does not read CubaLI", "snntorch": "profile: does not read CubaLI"}


def test_a_reader_that_is_not_installed_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(readers, "find_spec", lambda name: None if name == "torch" else find_spec(name))
    found = verified(CUBA, tmp_path)
    assert {r.status for r in found.values()} == {"unavailable"}
    assert found["norse"].reason.startswith("lacks torch")
    assert found["norse"].reason.endswith('pip install "birc[verify-nir]"')
    assert main(["verify", str(tmp_path / "model.birc"), "--target", "nir", "--json"]) == 0
    assert [(r["target"], r["reader"], r["status"], r["level"]) for r in json.loads(capsys.readouterr().out)] == [
        ("nir", None, "pass", "L1"), ("nir", "norse", "unavailable", None), ("nir", "snntorch", "unavailable", None),
    ]  # fmt: skip


class Played:
    """A reader whose spikes are given."""

    def __init__(self, reader: NirReader, change: Any) -> None:
        self.reader, self.change = reader, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reader, name)

    def missing(self) -> None:
        return None

    def run(self, artifact: Artifact, job: Job) -> Spikes:
        spikes: Spikes = self.change(self.reader.expected(artifact, job).spikes)
        return spikes


def drop_first(spikes: Spikes) -> Spikes:
    return Spikes(spikes.index[1:], spikes.stamp[1:])


def crash(spikes: Spikes) -> Spikes:
    raise KeyError("w_in")


def test_one_spike_too_few_fails_and_fails_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "READERS", (Played(NORSE, lambda s: s), Played(SNNTORCH, drop_first)))
    found = verified(CUBA, tmp_path)
    assert (found["norse"].status, found["snntorch"].status) == ("pass", "fail")
    assert "does not spike at step" in found["snntorch"].reason
    assert main(["verify", str(tmp_path / "model.birc"), "--target", "nir"]) == 1


def test_a_spike_on_the_threshold_decides_nothing_and_ends_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "READERS", (Played(NORSE, drop_first), Played(SNNTORCH, lambda s: s)))
    monkeypatch.setattr(readers, "TIE", np.inf)
    assert verified(CUBA, tmp_path)["norse"].status == "pass"
    monkeypatch.setattr(readers, "READERS", (Played(NORSE, lambda s: Spikes(s.index[:0], s.stamp[:0])), Played(SNNTORCH, lambda s: s)))
    assert verified(CUBA, tmp_path)["norse"].status == "not exercised"


def test_a_reader_that_breaks_down_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "READERS", (Played(NORSE, crash), Played(SNNTORCH, lambda s: s)))
    assert verified(CUBA, tmp_path)["norse"].reason == "raised KeyError: 'w_in'"


def test_profiles_say_which_version_they_were_seen_on() -> None:
    assert {p.name: p.version for p in portable.PROFILES.values()} == {"norse": "1.1.0", "snntorch": "1.0.0"}
