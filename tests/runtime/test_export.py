"""Results in the formats of others, read back with the packages of these."""

from __future__ import annotations

import json
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import birc
from birc.cli import main
from birc.errors import BircError
from birc.runtime import Result
from birc.runtime.export.formats import write_view
from birc.runtime.export.si import si
from birc.runtime.export.view import plain
from birc.runtime.simulate import simulate
from birc.units import NAMES, TIME, parse_unit, power
from tests.runtime.leaky import LEAKY, Interpreter
from tests.runtime.runs import ABOUT, EMPTY, TWO, G, V, W


def run(**options: Any) -> Result:
    options = {"dt": 0.1, "steps": 100, "n": 3, "record": "v,u", "inputs": {"I": [0.0, 0.02, 0.1]}, "seed": 3, **options}
    return simulate(Interpreter(), LEAKY, manifest={"target": "numpy"}, **options)


def test_a_result_knows_its_parameters() -> None:
    out = run(params={"tau": [10.0, 20.0, 30.0], "sigma": 2.0})
    assert np.array_equal(np.asarray(out.parameters["tau"].value), [10.0, 20.0, 30.0]) and out.parameters["tau"].unit == "ms"
    assert out.parameters["sigma"].value == 2.0
    assert set(out.parameters) == {param.name for param in LEAKY.params}
    assert out.about["parameters"]["tau"] == {"value": [10.0, 20.0, 30.0], "unit": "ms"}
    assert json.loads(json.dumps(out.about, allow_nan=False)) == out.about


def test_what_json_has_no_number_for_is_text() -> None:
    assert (
        plain(np.inf) == "inf" and plain(np.array([1.0, -np.inf])) == [1.0, "-inf"] and plain(2.5) == 2.5 and plain(np.arange(2)) == [0, 1]
    )


# --- pandas


def test_tables_of_a_result() -> None:
    pytest.importorskip("pandas")
    out = run(every=2)
    spikes, recorded = out.to_pandas()
    assert list(spikes) == ["population", "neuron", "time_ms"] and len(spikes) == len(out.index) > 0
    assert np.array_equal(spikes["neuron"], out.index) and np.array_equal(spikes["time_ms"], out.spikes.time)
    assert set(spikes["population"]) == {out.model}
    assert list(recorded) == ["population", "neuron", "time_ms", "v", "u"]
    for name in ("v", "u"):
        assert np.array_equal(recorded.pivot(index="time_ms", columns="neuron", values=name), out[name])
    assert np.array_equal(recorded["time_ms"].unique(), out.time)
    assert recorded.attrs["units"] == {"time_ms": "ms", "v": "mV", "u": "V"}
    assert recorded.attrs["run"]["manifest"] == {"target": "numpy"} and spikes.attrs["run"]["seed"] == 3


def test_tables_of_populations() -> None:
    pandas = pytest.importorskip("pandas")
    from birc.runtime.export.pandas import tables

    spikes, recorded = tables(TWO)
    expected = pandas.DataFrame({"population": ["E", "E", "E", "I"], "neuron": [1, 3, 1, 0], "time_ms": [10.1, 10.5, 11.0, 10.3]})
    pandas.testing.assert_frame_equal(spikes, expected, check_dtype=False, check_categorical=False)
    assert list(recorded) == ["population", "neuron", "time_ms", "v (mV)", "g", "v (V)", "w"]
    assert recorded.attrs["units"] == {"time_ms": "ms", "v (mV)": "mV", "g": "nS", "v (V)": "V", "w": "nA"}
    at = recorded.set_index(["population", "neuron", recorded["time_ms"].round(3)])
    assert at.loc[("E", 3, 10.4)][["v (mV)", "g"]].tolist() == [V[3, 1], G[1, 3]]
    assert at.loc[("E", 0, 10.3), "v (mV)"] == V[2, 0] and np.isnan(at.loc[("E", 0, 10.3), "g"])
    assert at.loc[("I", 1, 10.1)][["v (V)", "w"]].tolist() == [V[0, 1], W[0, 1] / 1000]
    assert len(recorded) == 10 * 2 + 5 * 2 + 10 * 2  # neurons 1 and 2 of E at every second stamp
    assert [len(table) for table in tables(EMPTY)] == [0, 0]


def test_a_table_that_would_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    out = run()
    monkeypatch.setattr("birc.runtime.memory.available_memory", lambda: 10_000)
    with pytest.raises(BircError) as caught:
        out.to_pandas()
    assert str(caught.value) == (
        "error[I145]: a table of 600 recorded values would take 19.2 kB of memory, and 9.0 kB are free\n"
        "  help: record less (a larger `every`, fewer variables or neurons)"
    )


# --- xarray


def test_a_dataset_of_a_result() -> None:
    xarray = pytest.importorskip("xarray")
    out = run(every=2)
    data = out.to_xarray()
    assert isinstance(data, xarray.Dataset) and data["v"].dims == ("time", "neuron")
    assert np.array_equal(data["v"], out.v) and np.array_equal(data["u"], out.u)
    assert np.array_equal(data["time"], out.time) and data["neuron"].values.tolist() == [0, 1, 2]
    assert data["time"].attrs["units"] == "ms" and data["v"].attrs["units"] == "mV" and data["u"].attrs["units"] == "V"
    assert float(data["v"].sel(time=1.0, neuron=2, method="nearest")) == out.v[4, 2]
    assert data.attrs["seed"] == 3 and data.attrs["dt_ms"] == 0.1 and json.loads(data.attrs["birc"]) == out.about


def test_a_tree_of_populations() -> None:
    pytest.importorskip("xarray")
    from birc.runtime.export.xarray import tree

    made = tree(TWO)
    assert made.name == "Net" and list(made.children) == ["E", "I"]
    excitatory = made["E"]
    assert excitatory["v"].dims == ("time", "neuron") and excitatory["neuron"].values.tolist() == [0, 3]
    assert excitatory["g"].dims == ("time_2", "neuron_2") and excitatory["time_2"].values == pytest.approx([10.2, 10.4, 10.6, 10.8, 11.0])
    assert excitatory["time_2"].attrs == {"units": "ms"} and excitatory["neuron_2"].attrs == {}
    assert made["I"]["w"].dims == made["I"]["v"].dims == ("time", "neuron")
    assert np.array_equal(made["I"]["w"], W / 1000) and made["I"]["w"].attrs["units"] == "nA"
    assert len(tree(EMPTY)["E"].data_vars) == 0


# --- Neo


def test_a_block_of_a_result() -> None:
    neo = pytest.importorskip("neo")
    out = run(every=2)
    block = out.to_neo()
    assert isinstance(block, neo.Block) and block.annotations["birc"] == out.about
    (segment,) = block.segments
    assert len(segment.spiketrains) == 3
    for neuron, train in enumerate(segment.spiketrains):
        assert np.array_equal(train.rescale("ms").magnitude, out.spikes.time[out.index == neuron])
        assert float(train.t_start) == 0.0 and float(train.t_stop.rescale("ms")) == pytest.approx(10.0)
        assert train.annotations["neuron"] == neuron and train.annotations["population"] == out.model
    v, u = segment.analogsignals
    assert (v.name, u.name) == ("v", "u") and v.dimensionality.string == "mV" and u.dimensionality.string == "V"
    assert np.array_equal(v.magnitude, out.v) and np.array_equal(u.magnitude, out.u)
    assert v.times.rescale("ms").magnitude == pytest.approx(out.time)


def test_a_block_of_populations_has_groups(tmp_path: Path) -> None:
    neo = pytest.importorskip("neo")
    from birc.runtime.export.neo import block

    made = block(TWO)
    assert [group.name for group in made.groups] == ["E", "I"]
    assert [len(group.spiketrains) for group in made.groups] == [4, 2]
    assert [[signal.name for signal in group.analogsignals] for group in made.groups] == [["v", "g"], ["v", "w"]]
    assert made.groups[0].analogsignals[0].array_annotations["neuron"].tolist() == [0, 3]
    assert float(made.groups[0].analogsignals[1].sampling_rate.rescale("kHz")) == pytest.approx(5.0)
    made.check_relationships()
    assert made.segments[0].spiketrains[1].segment is made.segments[0] and made.segments[0].analogsignals[0].segment is made.segments[0]
    assert made.segments[0].spiketrains[1].rescale("ms").magnitude.tolist() == [10.1, 11.0]
    neo.io.PickleIO(str(tmp_path / "a.pkl")).write_block(made)
    again = neo.io.PickleIO(str(tmp_path / "a.pkl")).read_block()
    assert np.array_equal(again.segments[0].analogsignals[2].rescale("mV").magnitude, 1000.0 * V)
    assert len(block(EMPTY).segments[0].spiketrains) == 2


@pytest.mark.parametrize(
    ("text", "value", "same"),
    [
        ("mV", 1e-3, "V"), ("Gohm", 1e9, "ohm"), ("fA", 1e-15, "A"), ("nS", 1e-9, "S"), ("pC", 1e-12, "C"), ("uM", 1e-3, "mol/m**3"),
        ("mV/ms", 1.0, "V/s"), ("nS/um^2", 1e3, "S/m**2"), ("uF/cm^2", 1e-2, "F/m**2"), ("mV^-1*ms^-1", 1e6, "1/(V*s)"), ("K", 1.0, "K"),
        ("fL", 1e-18, "m**3"), ("nmol", 1e-9, "mol"), ("ug", 1e-9, "kg"), ("kHz", 1e3, "1/s"), ("pW", 1e-12, "W"), ("cm", 1e-2, "m"),
    ],
)  # fmt: skip
def test_units_of_neo_are_those_of_birc(text: str, value: float, same: str) -> None:
    quantities = pytest.importorskip("quantities")
    from birc.runtime.export.neo import _quantity

    made, expected = _quantity(parse_unit(text)).simplified, quantities.Quantity(value, same).simplified
    assert made.dimensionality == expected.dimensionality and made.item() == pytest.approx(expected.item(), rel=1e-12)


def test_every_unit_has_one_of_neo() -> None:
    quantities = pytest.importorskip("quantities")
    from birc.runtime.export.neo import _quantity

    made = {text: quantities.Quantity(1.0, _quantity(unit)) for text, unit in NAMES.items()}
    for text, unit in NAMES.items():
        for other, like in NAMES.items():
            if unit.dimension == like.dimension:
                assert made[text].rescale(made[other].units).item() == pytest.approx(float(unit.scale / like.scale), rel=1e-9)
    assert _quantity(parse_unit("1")).dimensionality == quantities.dimensionless.dimensionality


@pytest.mark.parametrize(
    ("text", "expected", "factor"),
    [
        ("mV", "V", 1e-3), ("Gohm", "ohm", 1e9), ("pA", "A", 1e-12), ("nS", "S", 1e-9), ("uM", "m^-3*mol", 1e-3), ("Hz", "Hz", 1e3),
        ("mV/ms", "s^-1*V", 1.0), ("pA/um^2", "A*m^-2", 1.0), ("K", "K", 1.0), ("1", "1", 1.0), ("um", "m", 1e-6),
    ],
)  # fmt: skip
def test_units_of_the_si(text: str, expected: str, factor: float) -> None:
    name, found = si(parse_unit(text).dimension)
    assert name == expected and found == pytest.approx(factor, rel=1e-15)


def test_noise_has_a_unit_of_the_si() -> None:
    name, factor = si(power(TIME, Fraction(-1, 2)))
    assert name == "s^-1/2" and factor == pytest.approx(1000**0.5)


# --- NWB


def test_an_nwb_file_of_a_result(tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb")
    out = run(every=2)
    path = out.save(tmp_path / "out.nwb")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        read = io.read()
        assert len(read.units) == 3
        for neuron in range(3):
            assert read.units["spike_times"][neuron] * 1e3 == pytest.approx(out.spikes.time[out.index == neuron], rel=1e-12)
        assert read.units["population"][:].tolist() == [out.model] * 3 and read.units["neuron"][:].tolist() == [0, 1, 2]
        v, u = (read.acquisition[f"{out.model}.{name}"] for name in ("v", "u"))
        assert v.unit == u.unit == "V" and v.conversion == u.conversion == 1e-3
        assert v.data[:] * v.conversion == pytest.approx(out.v * 1e-3) and u.data[:] * u.conversion == pytest.approx(out.u)
        assert v.rate == pytest.approx(5000.0) and v.starting_time == pytest.approx(2e-4)
        assert json.loads(str(read.get_scratch("birc"))) == out.about
    assert pynwb.validate(path=str(path)) == []
    assert [file.name for file in tmp_path.iterdir()] == ["out.nwb"]


def test_an_nwb_file_of_populations(tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb")
    with pynwb.NWBHDF5IO(str(write_view(TWO, tmp_path / "a.nwb", "nwb")), "r") as io:
        read = io.read()
        table = read.units.to_dataframe()
        assert table["population"].tolist() == ["E"] * 4 + ["I"] * 2 and table["neuron"].tolist() == [0, 1, 2, 3, 0, 1]
        assert [times.tolist() for times in table["spike_times"]] == [[], [0.0101, 0.011], [], [0.0105], [0.0103], []]
        assert np.array(table["obs_intervals"].iloc[0]).tolist() == [[0.01, 0.011]]
        assert sorted(read.acquisition) == ["E.g", "E.v", "I.v", "I.w"]
        g, w = read.acquisition["E.g"], read.acquisition["I.w"]
        assert (g.unit, w.unit) == ("S", "A") and g.rate == pytest.approx(5000.0) and g.starting_time == pytest.approx(0.0102)
        assert w.data[:] * w.conversion == pytest.approx(W * 1e-12)
        assert read.acquisition["E.v"].description == "v of E, neurons 0, 3, in mV in its model"
        assert json.loads(str(read.get_scratch("birc"))) == ABOUT
    with pynwb.NWBHDF5IO(str(write_view(EMPTY, tmp_path / "b.nwb", "nwb")), "r") as io:
        assert [times.tolist() for times in io.read().units.to_dataframe()["spike_times"]] == [[], []]


# --- SONATA


def test_a_sonata_file_of_a_result(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    out = run()
    path = out.save(tmp_path / "out.h5")
    with h5py.File(path) as store:
        group = store[f"spikes/{out.model}"]
        assert np.array_equal(group["timestamps"], out.spikes.time) and np.array_equal(group["node_ids"], out.index)
        assert (
            group["timestamps"].attrs["units"] == "ms" and group["timestamps"].dtype == np.float64 and group["node_ids"].dtype == np.uint64
        )
        kind = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
        assert {number: name for name, number in kind.items()}[group.attrs["sorting"]] == "by_time"
        assert store.attrs["magic"] == 0x0A7A and store.attrs["version"].tolist() == [0, 1]
        assert json.loads(store["birc"].asstr()[()]) == out.about
    assert path.read_bytes() == run().save(tmp_path / "again", format="sonata").read_bytes()


def test_sonata_spikes_are_an_input_again(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    out = run()
    path = out.save(tmp_path / "out.h5")
    direct = run(inputs={"tick": out.spikes}, record="v")
    assert np.array_equal(run(inputs={"tick": f"@{path}"}, record="v").v, direct.v)
    assert np.array_equal(run(inputs={"tick": f"@{path}:{out.model}"}, record="v").v, direct.v)


def test_a_population_of_several_is_named(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = write_view(TWO, tmp_path / "two.h5", "sonata")
    with h5py.File(path, "a") as store:
        store["spikes/I/timestamps"].attrs["units"] = "seconds"
        store["spikes/I/timestamps"][...] = [0.002]
    found = run(n=1, steps=30, inputs={"tick": f"@{path}:I"}, record="v").v
    assert np.array_equal(found, run(n=1, steps=30, inputs={"tick": ([0], [2.0])}, record="v").v)
    with pytest.raises(BircError) as caught:
        run(inputs={"tick": f"@{path}"})
    assert str(caught.value) == (
        f"error[I117]: input `tick`: `{path}` holds several populations\n  help: name one behind a colon: `E`, `I`"
    )
    with pytest.raises(BircError) as caught:
        run(inputs={"tick": f"@{path}:Inh"})
    assert str(caught.value) == f"error[I117]: input `tick`: `{path}` has no `Inh`\n  help: it holds `E`, `I`"
    with pytest.raises(BircError) as caught:
        run(inputs={"I": f"@{path}"})
    assert str(caught.value) == f"error[I117]: input `I`: `{path}` holds spikes, and no arrays"


def test_files_that_are_no_sonata_spikes_are_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5"

    def message(**parts: Any) -> str:
        with h5py.File(path, "w") as store:
            for name, values in parts.items():
                store.create_dataset(name.replace("_in_", "/"), data=values)
        with pytest.raises(BircError) as caught:
            run(inputs={"tick": f"@{path}"})
        return str(caught.value).removeprefix(f"error[I117]: input `tick`: `{path}` cannot be read: ")

    assert message() == "it has no group `/spikes`, which SONATA files of spikes have"
    assert message(spikes=[1.0]) == "it has no group `/spikes`, which SONATA files of spikes have"
    assert message(spikes_in_timestamps=[1.0]) == "the population `timestamps` has no `timestamps` and `node_ids`"
    times, who = "spikes_in_E_in_timestamps", "spikes_in_E_in_node_id" + "s"
    assert message(**{times: [1.0]}) == "the population `E` has no `timestamps` and `node_ids`"
    assert message(**{times: [1.0], who: [1, 2]}) == "the population `E` has times (1,) of float64 and ids (2,) of int64"
    assert message(**{times: [1.0], who: [1.5]}) == "the population `E` has times (1,) of float64 and ids (1,) of float64"
    with h5py.File(path, "w") as store:
        store["spikes/E/timestamps"], store["spikes/E/node_ids"] = [1.0], [0]
        store["spikes/E/timestamps"].attrs["units"] = "minutes"
    with pytest.raises(BircError, match="the times of the population `E` are in `minutes`; known are ms, milliseconds, s, seconds"):
        run(inputs={"tick": f"@{path}"})
    whole = run().save(tmp_path / "b.h5").read_bytes()
    for cut in (whole[:100], whole[:-300], b"", b"PK\x03\x04" + whole[4:]):
        path.write_bytes(cut)
        with pytest.raises(BircError, match="I117"):
            run(inputs={"tick": f"@{path}"})


# --- results of little, and spikes inside steps


@pytest.mark.parametrize("options", [{"record": ()}, {"n": 1, "inputs": {}}, {"steps": 1}, {"every": 1000}])
def test_results_of_little_are_converted(options: dict[str, Any], tmp_path: Path) -> None:
    for name in ("pandas", "xarray", "neo", "pynwb", "h5py"):
        pytest.importorskip(name)
    out = run(**options)
    rows = sum(array.size for array in list(out.recorded.values())[:1])
    assert len(out.to_pandas().recorded) == rows and len(out.to_pandas().spikes) == len(out.index)
    assert sum(data.size for data in list(out.to_xarray().data_vars.values())[:1]) == rows
    assert len(out.to_neo().segments[0].spiketrains) == out.n
    assert out.save(tmp_path / "a.nwb").stat().st_size > 0 and out.save(tmp_path / "a.h5").stat().st_size > 0


def test_spikes_inside_steps_keep_their_times(tmp_path: Path) -> None:
    for name in ("pandas", "neo", "h5py"):
        pytest.importorskip(name)
    lif = birc.compile("lif", spikes="located")
    first = lif.run("50 ms", n=2, inputs={"I": "400 pA"})
    out = lif.run("50 ms", inputs={"I": "400 pA"}, state=first.state)
    assert len(out.index) > 2 and (out.spikes.time % 0.1 > 1e-3).any()
    assert np.array_equal(out.to_pandas().spikes["time_ms"], out.spikes.time)
    trains = out.to_neo().segments[0].spiketrains
    assert np.array_equal(trains[1].rescale("ms").magnitude, out.spikes.time[out.index == 1])
    assert float(trains[1].t_start.rescale("ms")) == 50.0


# --- which, and whether


def test_an_unknown_ending_lists_all(tmp_path: Path) -> None:
    with pytest.raises(BircError) as caught:
        run().save(tmp_path / "out.mat")
    listed = ".npz (everything), .csv (spikes), .nwb (NWB: spikes and recorded variables) or .h5 (SONATA: spikes)"
    assert str(caught.value) == f"error[I150]: results are not written as `.mat`\n  help: use {listed}"
    with pytest.raises(BircError) as caught:
        run().save(tmp_path / "out", format="sonatta")
    assert str(caught.value) == "error[I150]: there is no format `sonatta`\n  help: did you mean `sonata`?"
    assert run().save(tmp_path / "out.data", format="csv").read_text().startswith("index,time_ms\n")


@pytest.mark.parametrize(
    ("module", "make", "what", "extra"),
    [
        ("pandas", lambda out, folder: out.to_pandas(), "tables", "data"),
        ("xarray", lambda out, folder: out.to_xarray(), "datasets", "data"),
        ("neo", lambda out, folder: out.to_neo(), "Neo blocks", "neo"),
        ("pynwb", lambda out, folder: out.save(folder / "a.nwb"), "NWB files", "nwb"),
        ("h5py", lambda out, folder: out.save(folder / "a.h5"), "SONATA files", "sonata"),
    ],
)
def test_what_is_missing_and_how_to_get_it(
    module: str, make: Any, what: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = run()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BircError) as caught:
        make(out, tmp_path)
    assert str(caught.value) == (
        f'error[X341]: {what} need the package {module}, which is not installed\n  help: pip install "birc[{extra}]"'
    )
    assert list(tmp_path.iterdir()) == []


def test_a_sonata_input_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.h5").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(BircError, match="X341"):
        run(inputs={"tick": f"@{tmp_path}/a.h5"})


def test_the_command_line_writes_by_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    h5py, pynwb = pytest.importorskip("h5py"), pytest.importorskip("pynwb")
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "lif", "--for", "50 ms", "-n", "2", "--input", "I=300 pA", "--set", "t_ref=60 ms", "--record", "v"]
    assert main([*arguments, "-o", "out.h5"]) == 0 and main([*arguments, "-o", "out.nwb"]) == 0
    expected = birc.run("lif", "50 ms", n=2, inputs={"I": "300 pA"}, params={"t_ref": "60 ms"}, record="v")
    assert len(expected.index) == 2
    with h5py.File("out.h5") as store:
        assert np.array_equal(store["spikes/LIF/timestamps"], expected.spikes.time)
        assert json.loads(store["birc"].asstr()[()])["parameters"]["t_ref"] == {"value": 60.0, "unit": "ms"}
    with pynwb.NWBHDF5IO("out.nwb", "r") as io:  # streamed to disk, then written
        assert np.array_equal(io.read().acquisition["LIF.v"].data, expected.v)
    assert sorted(os.listdir()) == ["out.h5", "out.nwb"]


def test_the_command_line_refuses_before_it_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the model was run")

    monkeypatch.setattr("birc.driver.compile", never)
    assert main(["run", "lif", "--for", "1 s", "-o", "out.mat"]) == 2
    assert capsys.readouterr().err.startswith("error[I150]: results are not written as `.mat`\n  help: use .npz (everything), .csv")
    monkeypatch.setitem(sys.modules, "pynwb", None)
    assert main(["run", "lif", "--for", "1 s", "-o", "out.nwb"]) == 3
    assert "[X341]" in capsys.readouterr().err
