"""The CUDA target, emulated on the host: against the interpreter, in its own words, and under the address sanitizer."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import birc
from birc.backends import Dtype, Events, Job
from birc.backends.c_family import build
from birc.backends.cuda import BACKEND, device, emit
from birc.backends.cuda import run as runs
from birc.backends.cuda.device import Machine, emulated
from birc.backends.native import BACKEND as NATIVE
from birc.errors import BircError
from birc.ir.expr import Expr, const, make, op, value
from birc.ir.step import Define, Emit, Phase, Slot, Step, Store
from birc.runtime.simulate import Program, prepare
from birc.sources import neuron_files
from birc.units import ONE
from birc.verification.stimulus import make_stimulus, probes
from birc.verification.trial import run_free
from tests.backends.programs import arrivals, at, copy, interpreted, lif, lif_job, load, same
from tests.conftest import Golden

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler to emulate a device with")

DTYPES: tuple[Dtype, ...] = ("f64", "f32")
ROOT = Path(__file__).parent.parent.parent
LIBRARY = neuron_files()


def text(step: Step, dtype: Dtype = "f64") -> str:
    (content,) = (content for name, content in BACKEND.emit(step, dtype).files.items() if name.endswith(".cu"))
    assert isinstance(content, str)
    return content


def model_part(step: Step, dtype: Dtype = "f64") -> str:
    """The emitted text behind the shared headers."""
    return text(step, dtype).split("}  // namespace birc\n")[-1].lstrip("\n")


def runner(step: Step, dtype: Dtype = "f64", machine: Machine | None = None) -> runs.CudaRunner:
    return runs.CudaRunner(BACKEND.emit(step, dtype), machine or emulated())


def check(step: Step, job: Job, dtype: Dtype) -> None:
    """The target and the interpreter end alike, bit for bit."""
    expected = copy(job)
    wanted = interpreted(step, expected, dtype)
    found = runner(step, dtype).run(job)
    np.testing.assert_array_equal(found.stamp, wanted.stamp)
    np.testing.assert_array_equal(found.index, wanted.index)
    assert len(wanted.index) > 0
    assert found.index.dtype == np.int32
    assert found.stamp.dtype == np.int64
    same(job, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 63, 128, 300])
def test_equal_to_the_interpreter_bit_for_bit(n: int, dtype: Dtype) -> None:
    check(lif(), lif_job(n, 200, dtype), dtype)


def test_bind_values_of_each_neuron() -> None:
    job = lif_job(300, 100, "f64")
    check(lif(), replace(job, bind={**job.bind, ".P": np.linspace(0.8, 0.99, 300), ".n_ref": np.arange(300) % 5}), "f64")


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (60, 1), (60, 300)])
def test_inputs_of_every_shape(shape: tuple[int, int]) -> None:
    inputs = {"I": np.random.default_rng(5).uniform(0.5, 3.0, shape)}
    check(lif(), replace(lif_job(300, 60, "f64"), inputs=inputs), "f64")


def test_no_events() -> None:
    silent = Events(np.zeros(61, np.int64), np.zeros(0, np.int32), np.zeros(0))
    check(lif(), replace(lif_job(70, 60, "f64"), events={"exc": silent, "pull": silent}), "f64")


def test_recording_every_third_stamp_from_a_later_start() -> None:
    record = {"v": np.zeros((20, 40)), "y": np.zeros((20, 40))}
    check(lif(), replace(lif_job(40, 60, "f64"), start=4, every=3, record=record), "f64")


def test_recorded_into_arrays_that_cannot_be_written_directly() -> None:
    record = {"v": np.zeros((60, 80))[:, ::2], "above": np.zeros((60, 40), np.bool_)}
    check(lif(), replace(lif_job(40, 60, "f64"), record=record), "f64")


def test_stretches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"v": np.zeros((33, 300))}
    one = lif_job(300, 100, "f64", start=1, every=3, record=record, inputs={"I": np.random.default_rng(5).uniform(0.5, 3.0, (100, 300))})
    many = copy(one)
    loaded = runner(lif())
    first = loaded.run(one)
    monkeypatch.setattr(runs, "FIRST_UPDATES", 300 * 7)
    monkeypatch.setattr(runs, "STRETCH_SECONDS", 0.0)
    second = loaded.run(many)
    np.testing.assert_array_equal(first.index, second.index)
    np.testing.assert_array_equal(first.stamp, second.stamp)
    assert np.any(record["v"][-1])
    same(one, many)


@pytest.mark.parametrize("name", LIBRARY)
def test_library_models_have_the_bits_of_native(name: str) -> None:
    """The functions of the C family are the same text; what is left to the C library is so on both sides here."""
    native, cuda = (birc.compile(name, target=target, dt="0.1 ms") for target in ("native", "cuda"))
    assert native.step == cuda.step
    step = native.step

    def program(n: int) -> Program:
        return prepare(native.runner, step, h=0.1, steps=500, dtype="f64", n=n)

    hundred = program(100)
    stimulus = make_stimulus(step, native.runner, hundred, program(probes()), 500, 100, 0)
    first, second = (run_free(compiled.runner, step, "f64", hundred, stimulus) for compiled in (native, cuda))
    assert first.finite
    np.testing.assert_array_equal(first.fired, second.fired)
    for kept, other in ((first.states, second.states), (first.outputs, second.outputs)):
        assert kept.keys() == other.keys()
        for variable, values in kept.items():
            np.testing.assert_array_equal(values, other[variable])


def test_text_of_every_kind_of_statement(golden: Golden) -> None:
    golden.check("golden/cuda/every_statement.txt", model_part(lif()))


@pytest.mark.parametrize("name", ["lif", "izhikevich", "adex"])
def test_text_of_library_models(name: str, golden: Golden) -> None:
    golden.check(f"golden/cuda/{name}.txt", model_part(birc.compile(name, target="cuda", dtype="f32").step, "f32"))


def test_interface(golden: Golden) -> None:
    header = BACKEND.emit(lif(), "f64").files["LIF.h"]
    assert isinstance(header, str)
    golden.check("golden/cuda/interface.txt", header)


def test_the_interface_is_plain_c(tmp_path: Path) -> None:
    """A C program that calls it: one neuron, its state and spikes."""
    compiler = build.compiler()
    slots = (Slot("v", "real", ONE, ".init"),)
    grown = op("add", load("v"), const(1.0))
    fired = op("ge", grown, const(3.0))
    phases = (Phase("reset", (Store("v", op("select", fired, const(0.0), grown)),)), Phase("emit", (Emit(fired),)))
    step = Step("Count-3", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases)
    for name, content in BACKEND.emit(step, "f64").files.items():
        assert isinstance(content, str)
        prefix = emulated().prefix if name.endswith(".cu") else ""
        (tmp_path / name.replace(".cu", ".cpp")).write_text(prefix + content)
    (tmp_path / "main.c").write_text("""
#include "Count-3.h"
#include <stdio.h>
int main(void) {
    double v[70] = {0};
    void* state[] = {v};
    void* record[] = {0};
    uint64_t fired[7 * 2] = {0};
    birc_job job = {70, 0, 7, 1, 0, 0, state, 0, 0, record, 0, fired, 2};
    int32_t index[140];
    int64_t stamp[140];
    int code = birc_Count_3_run(&job);
    long long count = birc_Count_3_count(&job);
    birc_Count_3_list(&job, index, stamp);
    printf("%s %lld %d %d %d %d %g\\n", birc_Count_3_error(code), count, index[69], (int)stamp[69], index[70], (int)stamp[70], v[69]);
    return 0;
}
""")
    parts = []
    for name, language in (("main.c", "c"), ("Count-3.cpp", "c++")):
        parts.append(str(tmp_path / f"{name}.o"))
        command = [compiler.path, "-x", language, "-Wall", "-Werror", "-c", str(tmp_path / name), "-o", parts[-1]]
        subprocess.run([*command[:3], "-std=c99" if language == "c" else "-std=c++17", *command[3:]], check=True)
    subprocess.run([compiler.path, *parts, "-o", str(tmp_path / "main")], check=True)
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "no error 140 69 3 0 6 1"


def test_typed_literals_keep_float32_programs_free_of_double() -> None:
    kernel = model_part(lif(), "f32").split("bool fired = false;")[1].split("if (--due == 0)")[0]
    assert "0.9f * slots.u" in kernel
    assert "double" not in kernel
    assert not re.findall(r"\d\.\d+(?!\d*f)\b", kernel.replace("lif.birc", ""))


def test_emission_is_pure() -> None:
    assert BACKEND.emit(lif(), "f64").files == BACKEND.emit(lif(), "f64").files


HOSTILE = "*/ \\\n#error \\\\ ??/\nint x; \u2028 #define real int\r#error\x0b#error\x85#error\u202e \\"
NAMES = (
    "int", "real", "neuron", "threadIdx", "t1", "t1_", "v.1", "v_1", "x'", ".v", "NAN", "M_PI", "INT32_MAX", "stdin", "THREADS", "INLINE",
    "EXPORT", "TILE", "event_0", "end_0", "job", "due", "row", "fired", "step", "stamp", "at", "birc", "bound", "kept", "Device", "advance",
    "atomicOr", "cudaMalloc", "dim3", "count", "uint32", "double2", "linux", "NULL", "assert",
)  # fmt: skip


def hostile() -> Step:
    """Names that a target has other uses for, and words that want to leave their comments."""
    span = replace(at(1), source=replace(at(1).source, name=HOSTILE))
    defines = [Define("seed", load("slots")), *(Define(n, op("add", value("seed"), const(i + 1.0))) for i, n in enumerate(NAMES))]
    total: Expr = const(0.0)
    for name in NAMES:
        total = op("add", total, value(name))
    phases = (
        Phase("flow", (*defines, Define("double", total, span))),
        Phase("reset", (Store("slots", value("double"), span), Store("struct", value("int")))),
        Phase("emit", (Emit(op("gt", value("double"), const(0.0)), span),)),
    )
    slots = (Slot("slots", "real", ONE, ".init"), Slot("struct", "real", ONE, ".init"))
    return Step("../we ird\n", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases, doc=HOSTILE)


def test_docstrings_and_names_cannot_leave_their_places() -> None:
    step = hostile()
    assert all(re.fullmatch(r"[\w-]+\.(cu|h)", name) for name in BACKEND.emit(step, "f64").files)
    state = {"slots": np.zeros(3), "struct": np.zeros(3)}
    spikes = runner(step).run(Job(3, 0, 1, {}, state, {}, {}, {}))
    np.testing.assert_array_equal(state["slots"], sum(range(1, len(NAMES) + 1)))
    np.testing.assert_array_equal(state["struct"], 1.0)
    np.testing.assert_array_equal(spikes.index, [0, 1, 2])


def test_refusals_come_together_with_their_places() -> None:
    bad = op("steps", make("load", (), "a"), const(1.0))
    flow = (Define("x", bad, at(5)), Define("y", op("propagator", bad), at(6)), Define("z", bad, at(7)))
    phases = (Phase("flow", (*flow, *(Define(f"n{i}", const(0.0)) for i in range(5000)))),)
    step = Step("Odd", (), (Slot("a", "real", ONE, ".init"),), (), (), (), (), (Define(".init", const(0.0)),), phases, span=at(1))
    found = BACKEND.refuse(step, "f64")
    assert [(d.code, d.message, d.span.line if d.span else 0) for d in found] == [
        ("L201", "the cuda target has no `steps`", 5),
        ("L201", "the cuda target has no `propagator`", 6),
        ("L202", "the program has 5003 statements; the cuda target takes 5000", 1),
    ]
    assert [label.span.line for label in found[0].labels] == [6, 7]
    assert BACKEND.refuse(lif(), "f64") == ()


def test_a_program_with_too_many_arrays_is_refused() -> None:
    slots = tuple(Slot(f"s{i}", "real", ONE, ".init") for i in range(1001))
    step = Step("Wide", (), slots, (), (), (), (), (Define(".init", const(0.0)),), ())
    (problem,) = BACKEND.refuse(step, "f64")
    assert (problem.code, problem.message) == ("L202", "the program has 2002 parameters, states and ports; the cuda target takes 2000")


def test_where_it_runs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "capability", lambda: None)
    assert BACKEND.emulation() == "emulated on the host: no NVIDIA device"
    report = birc.verify("lif", ["cuda"], duration="20 ms", n=2)[0]
    assert report.emulated == BACKEND.emulation()
    assert BACKEND.emulation() in report.row()[-1]
    assert report.record()["emulated"] == BACKEND.emulation()
    monkeypatch.setattr(device, "capability", lambda: "90")
    monkeypatch.setattr(device, "find_nvcc", lambda: None)
    assert BACKEND.emulation() == "emulated on the host: a device, but no nvcc"
    monkeypatch.setattr(device, "find_nvcc", lambda: "/usr/bin/nvcc")
    assert BACKEND.emulation() == ""


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "capability", lambda: None)
    assert BACKEND.missing() is None
    monkeypatch.setattr(build, "find_compiler", lambda: None)
    missing = BACKEND.missing()
    assert missing is not None
    assert "a C++ compiler" in missing.what


def test_a_device_that_fails_is_an_error() -> None:
    """The emulated memory runs out: a job of more neurons than there are addresses."""
    loaded = runner(lif())
    job = lif_job(2, 1, "f64")
    source = text(lif()).replace("cudaMalloc(&address, bytes)", "cudaMalloc(&address, bytes << 45)")
    broken = runs.CudaRunner(replace(BACKEND.emit(lif(), "f64"), files={"LIF.cu": source}), emulated())
    with pytest.raises(BircError, match="out of memory") as caught:
        broken.run(copy(job))
    assert caught.value.code == "X206"
    loaded.run(job)


# --- the emulation itself

ORDER = """
EXPORT void order(unsigned int* seen) {
    void* arguments[] = {&seen};
    cudaLaunchKernel(note, dim3(7), dim3(5), arguments);
}
"""
NOTE = """
#define EXPORT extern "C" __attribute__((visibility("default")))
static unsigned int place;
__global__ void note(unsigned int* seen) { seen[place++ % 35] = blockIdx.x * blockDim.x + threadIdx.x + 100 * (gridDim.x - 7); }
"""


def test_every_thread_runs_once_in_an_order_that_changes() -> None:
    library = emulated().library(NOTE + ORDER)
    orders = []
    for _ in range(2):
        seen = np.zeros(35, np.uint32)
        library.order(ctypes.c_void_p(seen.ctypes.data))
        orders.append(seen)
    for seen in orders:
        np.testing.assert_array_equal(np.sort(seen), np.arange(35))
        assert np.any(seen != np.arange(35))
    assert np.any(orders[0] != orders[1])


SANITIZER = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O1")
SANITIZED = """
import sys, json
import numpy as np
from birc.backends.cuda import BACKEND, run
from birc.backends.cuda.device import emulated
from tests.backends.programs import copy, interpreted, lif, lif_job, same
from dataclasses import replace

old, new, flags = json.loads(sys.argv[1])
for dtype in ("f64", "f32"):
    artifact = BACKEND.emit(lif(), dtype)
    source = artifact.files["LIF.cu"]
    assert old in source
    loaded = run.CudaRunner(replace(artifact, files={"LIF.cu": source.replace(old, new)}), emulated(*flags))
    for n, every in ((1, 1), (130, 1), (300, 7)):
        job = lif_job(n, 50, dtype, every=every, record={"v": np.zeros((50 // every, n), dtype.replace("f64", "d").replace("f32", "f"))})
        expected = copy(job)
        wanted = interpreted(lif(), expected, dtype)
        found = loaded.run(job)
        assert np.array_equal(found.stamp, wanted.stamp) and np.array_equal(found.index, wanted.index)
        same(job, expected)
print("clean")
"""


def sanitized(old: str = "advance", new: str = "advance") -> subprocess.CompletedProcess[str]:
    """The emulation under the sanitizers, in a process of its own, with a piece of the emitted text replaced."""
    runtime = subprocess.run(
        [build.compiler().path, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not os.path.isabs(runtime):
        pytest.skip(f"{build.compiler().path} has no address sanitizer: the emulation is NOT checked for stray accesses")
    environment = {**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0"}
    command = [sys.executable, "-c", SANITIZED, json.dumps([old, new, SANITIZER])]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300, check=False)


@pytest.mark.slow
def test_no_stray_access_and_no_undefined_behaviour() -> None:
    done = sanitized()
    assert (done.returncode, done.stdout.strip()) == (0, "clean"), done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if (neuron >= job.n) return;", "if (neuron > job.n) return;"),
        ("const int64 at = row * job.n + neuron;", "const int64 at = (row + 1) * job.n + neuron;"),
        ("event_1 < end_1 && ", ""),
        ("copy((const uint32*)job->fired, job->steps * job->words * 2)", "copy((const uint32*)job->fired, job->steps * job->words)"),
    ],
)
def test_the_sanitizer_sees_what_it_should(old: str, new: str) -> None:
    done = sanitized(old, new)
    assert done.returncode != 0
    assert "AddressSanitizer" in done.stderr


def test_native_and_cuda_write_the_same_expressions() -> None:
    """Every definition of the program, but for how the frames index."""

    def definitions(text: str) -> list[str]:
        found = re.findall(r"const (?:real|count|bool) (\w+ = [^;]+);", text.replace("[lane]", "").replace("kept.", ""))
        return [line for line in found if not re.match(r"t\d", line) and "job" not in line]

    (native,) = (content for content in NATIVE.emit(lif(), "f64").files.values() if isinstance(content, str))
    ours = definitions(model_part(lif()))
    assert len(ours) > 8
    assert [line for line in definitions(native.split("#ifndef EACH")[1]) if line in ours] == ours


def test_flags_keep_every_operation_as_written() -> None:
    assert {"-fmad=false", "-prec-div=true", "-prec-sqrt=true", "-ftz=false"} <= set(emit.FLAGS)
    assert BACKEND.emit(lif(), "f64").manifest["nvcc_flags"] == list(emit.FLAGS)
    assert f"// nvcc {' '.join(emit.FLAGS)} -arch=native LIF.cu -o LIF.so" in text(lif())
    assert "fast" not in " ".join(emit.FLAGS)


def test_events_of_one_neuron_act_in_their_order() -> None:
    """Arrivals are handed over by neuron: those of one keep their order, however many others stand between."""
    job = lif_job(5, 40, "f64", events={"exc": arrivals(5, 40, 8, 1), "pull": arrivals(5, 40, 20, 2)})
    check(lif(), job, "f64")
