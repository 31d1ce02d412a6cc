"""The NumPy module: its text, and that it computes what the interpreter computes, bit for bit, in both number types."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends import FLOATS, Dtype, Events, Job, load_backend
from birc.errors import Source
from birc.frontend.load import load
from birc.ir.model import Model
from birc.ir.step import Step
from tests.backends.programs import arrivals, copy, interpreted, lif, lif_job, same
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, bound, limits, lowered, model_of

BACKEND = load_backend("numpy")
MODELS = LIBRARY | SMALL
DTYPES: tuple[Dtype, ...] = ("f64", "f32")

each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


def text_of(step: Step, dtype: Dtype = "f64") -> str:
    """The emitted module."""
    (text,) = BACKEND.emit(step, dtype).files.values()
    assert isinstance(text, str)
    return text


def space_of(step: Step, dtype: Dtype = "f64") -> dict[str, Any]:
    """What the emitted module defines."""
    space: dict[str, Any] = {}
    exec(compile(text_of(step, dtype), "module", "exec"), space)
    return space


LEVELS = {"pA": 4000.0, "1": 3.0, "mV/ms": 30.0, "mV": 50.0, "uA/cm^2": 0.3, "ms^-1": 1.0}
"""Inputs that make a neuron fire within a few ms, in internal units."""
STRONGER = {"MorrisLecar": 20.0}
"""What a neuron needs times as much of: here, for its capacitance of 20 uF/cm^2."""


def job_of(step: Step, dtype: Dtype, n: int = 24, steps: int = 60, h: float = 0.1) -> Job:
    """A job that drives every port hard, from scattered initial states, with everything recorded."""
    rng = np.random.default_rng(3)
    real, numbers = FLOATS[dtype], bound(step, h, dtype)
    state: dict[str, Any] = {}
    for slot in step.slots:
        start = np.broadcast_to(numbers[slot.init], n)
        spread = 0.0 if slot.kind != "real" else 0.05 if 0 < start[0] < 1 else 1.5 if abs(start[0]) <= 1 else 0.05 * abs(start[0])
        scatter = rng.normal(0, spread, n)
        values = np.clip(start + scatter, *limits(slot, numbers))
        state[slot.name] = values.astype({"real": real, "int": np.int32, "bool": np.bool_}[slot.kind])
    return Job(
        n,
        start=5,
        steps=steps,
        bind=numbers,
        state=state,
        inputs={p.name: rng.normal(1, 1, (steps, n)) * LEVELS[p.unit.text] * STRONGER.get(step.name, 1.0) for p in step.inputs},
        events={
            p.name: replace(arrivals(n, steps, n / 8, i), payload=rng.normal(0, 5, arrivals(n, steps, n / 8, i).payload.shape))
            for i, p in enumerate(step.events)
        },
        record={s.name: np.zeros((steps, n), state[s.name].dtype) for s in step.slots}
        | {o.name: np.zeros((steps, n), real) for o in step.outputs},
        seed=11,
        streams={x.name: 40 + i for i, x in enumerate(step.noises)},
    )


@pytest.mark.parametrize("dtype", DTYPES)
@each_model
def test_the_module_is_the_interpreter(model: Model, dtype: Dtype) -> None:
    step = lowered(model)
    one, two = job_of(step, dtype), job_of(step, dtype)
    spikes, expected = BACKEND.load(BACKEND.emit(step, dtype)).run(one), interpreted(step, two, dtype)
    same(one, two)
    np.testing.assert_array_equal(spikes.index, expected.index)
    np.testing.assert_array_equal(spikes.stamp, expected.stamp)
    assert all(a.dtype == two.state[name].dtype for name, a in one.state.items())


def test_the_jobs_make_every_neuron_fire() -> None:
    for name, model in MODELS.items():
        step = lowered(model)
        job = job_of(step, "f64")
        spikes = BACKEND.load(BACKEND.emit(step, "f64")).run(job)
        assert (len(spikes.index) > 0) == (model.spike is not None), name
        assert all(np.isfinite(a).all() for a in job.record.values()), name


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_program_written_by_hand(dtype: Dtype) -> None:
    """Stores, spikes and outputs that are whole expressions, a flag, rounds of events."""
    one = lif_job(50, 200, dtype)
    two = copy(one)
    spikes, expected = BACKEND.load(BACKEND.emit(lif(), dtype)).run(one), interpreted(lif(), two, dtype)
    same(one, two)
    assert len(spikes.index) > 50
    np.testing.assert_array_equal(spikes.index, expected.index)


# --- the text


def test_text(golden: Golden) -> None:
    golden.check("golden/numpy/lif.txt", text_of(lowered(LIBRARY["LIF"])))
    golden.check("golden/numpy/hodgkin_huxley_f32.txt", text_of(lowered(LIBRARY["HH"]), "f32"))
    golden.check("golden/numpy/clipped.txt", text_of(lowered(SMALL["clipped"])))


@each_model
def test_bind_gives_the_values_of_the_runtime(model: Model) -> None:
    step = lowered(model)
    for dtype in DTYPES:
        with np.errstate(all="ignore"):
            found = space_of(step, dtype)["bind"](0.25)
        expected = bound(step, 0.25)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)
            assert np.asarray(found[name]).dtype.kind == np.asarray(value).dtype.kind
            assert np.asarray(found[name]).dtype != np.float32


def test_bind_takes_parameters() -> None:
    step = lowered(LIBRARY["LIF"])
    found = space_of(step)["bind"](0.1, tau_m=np.array([10.0, 20.0]), t_ref=3.0)
    assert found[".n_ref"] == 30
    np.testing.assert_array_equal(found[".E.v"], np.expm1(-1.0 / np.array([10.0, 20.0]) * 0.1))


def test_a_default_that_depends_on_others() -> None:
    step = lowered(
        model_of("neuron A:\n    param c = b + 1, a = 2, b = 3 * a\n    state x = b, y = c\n    x' = -x / (1 ms)\n    y' = -y / (1 ms)\n")
    )
    bind = space_of(step)["bind"]
    assert (bind(0.1)[".init.x"], bind(0.1)[".init.y"]) == (6.0, 7.0)
    assert (bind(0.1, b=5.0)[".init.x"], bind(0.1, a=1.0)[".init.y"]) == (5.0, 4.0)


def test_the_matrix_of_a_block_stands_in_the_text() -> None:
    text = text_of(lowered(SMALL["oscillator"]))
    assert 'entry("increment", 0, 1, h, [' in text
    assert "from birc.ir.ops import OPS" in text
    assert "OPS" not in text_of(lowered(LIBRARY["LIF"]))


# --- names and words from outside

AWKWARD = (
    "lambda",
    "None",
    "np",
    "step",
    "state",
    "bind",
    "n",
    "h",
    "v_1",
    "t0",
    "s0",
    "print",
    "match",
    "real",
    "total",
    "who",
    "busy",
    "fired",
    "exc_w",
    "entry",
    "steps",
    "x",
)


def awkward() -> Step:
    """A model with names that Python, NumPy, the frame or the compiler have too."""
    states = ", ".join(f"{name} = {i}" for i, name in enumerate(AWKWARD[3:]) if name not in ("step", "state", "match"))
    text = f"neuron A:\n    param lambda = 2, None = 3, np = 5 ms, t_ref = 1 ms\n    state v = 0, {states.replace('step = 0, ', '')}\n"
    rates = "".join(
        f"    np * {name}' = lambda - {name} * None + sin({name} + v)\n" for name in ("bind", "n", "h", "v_1", "t0", "s0", "print")
    )
    rates += "    np * v' = lambda - v + v_1 - exp(v_1) * sin(v)\n    on exc(w: 1): v += w\n"
    return lowered(model_of(text + rates + "    spike when v > 1: v = 0\n    refractory t_ref: hold v\n"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_names_of_the_target(dtype: Dtype) -> None:
    step = awkward()
    names = BACKEND.emit(step, dtype).manifest["names"]
    assert len(set(names.values())) == len(names)
    assert all(word.isidentifier() for word in names.values())
    assert names["v_1"] == "v_1" and names["v.1"] != "v_1"
    assert not set(names.values()) & {"lambda", "None", "np", "n", "bind", "real", "total", "who", "entry", "steps", "print", "state"}
    one, two = job_of(step, dtype), job_of(step, dtype)
    BACKEND.load(BACKEND.emit(step, dtype)).run(one)
    interpreted(step, two, dtype)
    same(one, two)
    np.testing.assert_array_equal(space_of(step, dtype)["bind"](0.1)["h" if "h" not in names else ".init.h"], bound(step)[".init.h"])


DOCS = [
    '""" + quit() + """',
    "ends in a backslash \\",
    'a quote at the end "',
    "{{ name }} {% raw %}",
    "\\N{BULLET} \\x00",
    "first\nsecond",
    "\u2028 \ud800 \x00 \r",
    "",
    "  ",
]


@pytest.mark.parametrize("doc", DOCS)
def test_a_docstring_is_data(doc: str) -> None:
    text = text_of(replace(lif(), doc=doc))
    text.encode()
    tree = ast.parse(text)
    assert [type(node) for node in tree.body][:2] == [ast.Expr, ast.Import]
    shown = ast.get_docstring(tree, clean=False)
    first = doc.strip().splitlines()[0] if doc.strip() else ""
    assert shown is not None and shown.splitlines()[0].startswith("LIF")
    if first.isprintable():
        assert shown.splitlines()[0] == (f"LIF: {first}" if first else "LIF")


@pytest.mark.parametrize("name", ["a\nimport os  # .birc", "a\rquit().birc", "a\\", "ä'\".birc", "\x0c", "\ud800"])
def test_the_name_of_a_file_is_data(name: str) -> None:
    model = load(Source(name, "neuron A:\n    state x = 0\n    x' = -x / (1 ms)\n    on exc(w: 1): x = x * w\n")).items[0]
    assert isinstance(model, Model)
    text = text_of(lowered(model))
    text.encode()
    assert [type(node) for node in ast.parse(text).body] == [
        ast.Expr,
        ast.Import,
        ast.ImportFrom,
        ast.Assign,
        ast.FunctionDef,
        ast.FunctionDef,
    ]


def test_names_in_a_program_read_from_ir_are_data() -> None:
    """A `.bir` text may hold any name."""
    odd = '"""\nimport os\n\\'
    step = replace(
        lif(),
        name=odd,
        slots=tuple(replace(s, init=odd) if s.name == "u" else s for s in lif().slots),
        bind=(*lif().bind, replace(lif().bind[-3], name=odd)),
    )
    body = ast.parse(text_of(step)).body
    assert [type(node) for node in body] == [ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef, ast.FunctionDef]


def test_swapped_states_and_outputs_of_old_ones() -> None:
    """What a step gives back may be another slot's old array."""
    text = "neuron A:\n    state x = 1, y = 2\n    step x = y\n    step y = x\n    output z: 1 = x\n"
    out = driver.build(lowered(model_of(text)), "numpy", dt="1 ms").run("3 ms", n=2, record=["x", "y", "z"])
    assert np.asarray(out.x)[:, 0].tolist() == [2.0, 1.0, 2.0]
    assert np.asarray(out.y)[:, 0].tolist() == [1.0, 2.0, 1.0]
    assert np.asarray(out.z)[:, 0].tolist() == [2.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("a", "b", "current", "fires"), [(1.0, 0.0, 2.0, True), (1.0, 0.0, 0.1, False), (1.0, 1.0, 0.1, True), (-1.0, 0.0, 2.0, False)]
)
def test_conditions_on_parameters_are_truths(a: float, b: float, current: float, fires: bool) -> None:
    """A condition that is bound once is turned round as a truth, not as a number."""
    step = lowered(SMALL["parameter_conditions"])
    out = driver.build(step, "numpy", dt="1 ms").run("20 ms", n=1, inputs={"I": current}, params={"a": a, "b": b})
    assert (len(out.spikes[0]) > 0) == fires


# --- the same bytes


EMIT = """
import sys
from birc.backends import load_backend
from birc.ir.text import print_model, print_step
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, stages

for model in (*LIBRARY.values(), *SMALL.values()):
    found = stages(model)
    sys.stdout.write(print_model(found["guard-runaway"]) + print_step(found["lower-to-step"]) + print_step(found["dead-code"]))
    for dtype in ("f64", "f32"):
        sys.stdout.writelines(load_backend("numpy").emit(found["dead-code"], dtype).files.values())
"""


def test_emission_is_the_same_under_any_hash_seed() -> None:
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", EMIT],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "77")
    ]
    texts = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert len(texts[0]) > 300_000
    assert texts[0] == texts[1]


def test_events_are_typed() -> None:
    """An empty port gives no spike and no error."""
    step = lowered(LIBRARY["LIF"])
    job = job_of(step, "f64", steps=3)
    none = Events(np.zeros(4, np.int64), np.zeros(0, np.int32), np.zeros(0))
    BACKEND.load(BACKEND.emit(step, "f64")).run(replace(job, events={"exc": none, "inh": none}, inputs={"I": np.zeros((1, 1))}))
    assert (job.state["i_s"] != 0).any()
