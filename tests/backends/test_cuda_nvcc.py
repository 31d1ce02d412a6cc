"""The CUDA target with NVIDIA's own compiler, and on a device where there is one."""

from __future__ import annotations

import subprocess
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import birc
from birc.backends import Dtype, Job
from birc.backends.cuda import BACKEND, device, emit
from birc.backends.cuda.run import CudaRunner
from birc.ir.expr import Expr, const, op
from birc.ir.ops import TABLE
from birc.ir.step import Define, Phase, Slot, Step, Store
from birc.units import ONE
from tests.backends.programs import copy, interpreted, lif, lif_job, load, same
from tests.backends.test_cuda import DTYPES, LIBRARY, hostile, text
from tests.bench.cuda_registers import ARCHITECTURES, compiled

PATIENCE = 15
"""Seconds that nvcc may take for a library model."""


@cache
def lacks(what: str) -> None:
    """Say once, in the summary of warnings, what is not tested."""
    warnings.warn(f"the CUDA target is NOT tested with {what} here", stacklevel=3)


@pytest.fixture(autouse=True)
def with_nvcc() -> None:
    if device.find_nvcc() is None:
        lacks("nvcc")
        pytest.skip("nvcc is not installed")


def every_op() -> Step:
    """A program that stores each op of the table once."""
    x, y = load("x"), load("y")
    truth = (op("gt", x, y), op("le", y, x))
    flow = []
    for row in (row for row in TABLE if not row.bind_only):
        args: tuple[Expr, ...] = (truth[0], x, y) if row.name == "select" else truth if row.unit == "logic" else (x, y, x)
        e = op(row.name, *args[: row.arity])
        flow.append(Define(f"{row.name}.1", op("select", e, x, y) if row.kind == "bool" else e))
    total: Expr = const(0.0)
    for define in flow:
        total = op("add", total, op("mul", define.value, const(0.1)))
    slots = (Slot("x", "real", ONE, ".init"), Slot("y", "real", ONE, ".init"))
    phases = (Phase("flow", tuple(flow)), Phase("reset", (Store("x", total),)))
    return Step("Ops", (), slots, (), (), (), (), (Define(".init", const(0.0)),), phases)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("program", [lif, every_op, hostile])
def test_programs_compile_without_warnings(program: object, dtype: Dtype) -> None:
    assert callable(program)
    found = compiled(program(), dtype)
    assert [kernel.architecture for kernel in found.kernels] == list(ARCHITECTURES)
    assert found.words == ""


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIBRARY)
def test_library_models_compile_without_warnings_or_spills(name: str, dtype: Dtype) -> None:
    found = compiled(birc.compile(name, target="cuda").step, dtype)
    assert [kernel.architecture for kernel in found.kernels] == list(ARCHITECTURES)
    assert [kernel.spilled for kernel in found.kernels] == [0, 0]
    assert found.words == ""
    assert found.seconds <= PATIENCE


def test_no_operation_is_contracted(tmp_path: Path) -> None:
    """The program has many multiplications that feed additions, and names no fused one; without the flag nvcc fuses them."""
    source = tmp_path / "lif.cu"
    source.write_text(text(lif()))
    nvcc = device.find_nvcc()
    assert nvcc is not None
    fused = []
    for flags in (["-fmad=false"], []):
        target = tmp_path / "lif.ptx"
        subprocess.run([nvcc, "-std=c++17", *flags, "-arch=sm_80", "-ptx", str(source), "-o", str(target)], check=True)
        fused.append(target.read_text().count("fma.rn.f64"))
    assert fused[0] == 0
    assert fused[1] > 0


def test_a_library_for_a_device_is_built_and_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as one comes without a device: its first call says that there is none."""
    if device.capability() is not None:
        pytest.skip("there is a device: the next test runs on it")
    monkeypatch.setattr(device, "capability", lambda: "80")
    loaded = CudaRunner(BACKEND.emit(lif(), "f64"), device.real())
    with pytest.raises(birc.BircError, match=r"the CUDA device failed: .*CUDA") as caught:
        loaded.run(lif_job(2, 1, "f64"))
    assert caught.value.code == "X206"
    assert "-gencode=arch=compute_80,code=sm_80" in device.real().compiler.flags
    assert device.real().compiler.flags[:-1] == emit.FLAGS


@pytest.mark.parametrize("dtype", DTYPES)
def test_on_the_device(dtype: Dtype) -> None:
    if BACKEND.emulation():
        lacks("a device")
        pytest.skip("no NVIDIA device")
    job: Job = lif_job(3000, 200, dtype)
    expected = copy(job)
    wanted = interpreted(lif(), expected, dtype)
    found = CudaRunner(BACKEND.emit(lif(), dtype), device.real()).run(job)
    np.testing.assert_array_equal(found.stamp, wanted.stamp)
    np.testing.assert_array_equal(found.index, wanted.index)
    same(job, expected)
