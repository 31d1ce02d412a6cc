"""The built unit, and its calls on arrays of NumPy or on bare addresses."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from birc.backends.c_family import build
from birc.fused.emit import Kernel

Array = npt.NDArray[Any]
POINTER = ctypes.c_void_p
SHARE = 200_000
"""Updates of a neuron from which on another thread is worth while."""


def processors() -> int:
    """How many threads there may be: `OMP_NUM_THREADS`, or all processors."""
    most = os.environ.get("OMP_NUM_THREADS", "")
    return int(most) if most.isdigit() and int(most) else os.cpu_count() or 1


class Fields(ctypes.Structure):
    """`Sweep`."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("outer", "steps", "inner", "threads")),
        *((name, POINTER) for name in ("inputs", "initial", "bind", "each", "mask", "seen", "last")),
        *((name, POINTER) for name in ("up", "up_last", "input_bars", "initial_bars", "bind_bars")),
    )


@dataclass(frozen=True)
class Shape:
    """Rows, steps and neurons of a sweep."""

    outer: int
    steps: int
    inner: int

    @property
    def threads(self) -> int:
        """As many as there is work for."""
        return max(1, min(processors(), self.outer * self.steps * self.inner // SHARE))


def common(kernel: Kernel, inputs: Sequence[Any], initial: Sequence[Any], bind: Sequence[Any], mask: Any = None) -> Shape:
    """The shape of a sweep over arrays or tensors. Raises ValueError where they do not fit together, as a kernel reads them unasked."""
    first = tuple(inputs[0].shape)
    outer, steps, inner = first
    for x in inputs:
        if tuple(x.shape) != first:
            raise ValueError(f"inputs of shapes {list(first)} and {list(x.shape)} in one layer; expected the same")
    for state in initial:
        if tuple(state.shape) != (outer, inner):
            raise ValueError(f"an initial state of shape {list(state.shape)}; expected [{outer}, {inner}]")
    for name, value in zip(kernel.bind, bind, strict=True):
        alone = kernel.each is not None and name not in kernel.each
        if tuple(value.shape) not in ((), (1,), *(() if alone else ((inner,),))):
            if alone:
                raise ValueError(f"`{name}` of shape {list(value.shape)} in a kernel that takes one number for all neurons")
            raise ValueError(f"a parameter of shape {list(value.shape)} for {inner} neurons; expected one number, or one for each")
    if mask is not None and tuple(mask.shape) not in ((0,), (outer, steps)):
        raise ValueError(f"a mask of shape {list(mask.shape)}; expected [{outer}, {steps}]")
    return Shape(outer, steps, inner)


@dataclass(frozen=True, eq=False)
class Sweeper:
    """A kernel, compiled at its first call. All arrays are float32 and contiguous; None stands for zeros, or for nobody who looks."""

    kernel: Kernel

    @cached_property
    def library(self) -> ctypes.CDLL:
        """The built library. Raises X201 to X204."""
        return build.library(self.kernel.text)

    def ahead(
        self,
        shape: Shape,
        inputs: Sequence[int],
        initial: Sequence[int],
        bind: Sequence[int],
        each: Sequence[int],
        mask: int,
        seen: Sequence[int],
        last: Sequence[int],
    ) -> None:
        """All steps; the sequences hold addresses."""
        fields, held = self._fields(shape, inputs, initial, bind, each, mask)
        more = [_addresses(seen), _addresses(last)]
        fields.seen, fields.last = (ctypes.cast(a, POINTER) for a in more)
        self.library.birc_ahead(ctypes.byref(fields))
        del held, more

    def back(
        self,
        shape: Shape,
        inputs: Sequence[int],
        initial: Sequence[int],
        bind: Sequence[int],
        each: Sequence[int],
        mask: int,
        up: Sequence[int],
        up_last: Sequence[int],
        input_bars: Sequence[int],
        initial_bars: Sequence[int],
        bind_bars: Sequence[int],
    ) -> None:
        """The derivative of all steps; the sequences hold addresses."""
        fields, held = self._fields(shape, inputs, initial, bind, each, mask)
        more = [_addresses(a) for a in (up, up_last, input_bars, initial_bars, bind_bars)]
        for name, array in zip(("up", "up_last", "input_bars", "initial_bars", "bind_bars"), more, strict=True):
            setattr(fields, name, ctypes.cast(array, POINTER))
        self.library.birc_back(ctypes.byref(fields))
        del held, more

    def _fields(
        self, shape: Shape, inputs: Sequence[int], initial: Sequence[int], bind: Sequence[int], each: Sequence[int], mask: int
    ) -> Any:
        arrays = [_addresses(inputs), _addresses(initial), _addresses(bind)]
        strides = (ctypes.c_int64 * max(1, len(each)))(*each)
        fields = Fields(shape.outer, shape.steps, shape.inner, shape.threads)
        fields.inputs, fields.initial, fields.bind = (ctypes.cast(a, POINTER) for a in arrays)
        fields.each, fields.mask = ctypes.cast(strides, POINTER), mask or None
        return fields, (arrays, strides)


def _addresses(at: Sequence[int]) -> Any:
    return (POINTER * max(1, len(at)))(*(a or None for a in at))


def address(a: Array | None) -> int:
    """Where an array begins; 0 for None and for an empty one."""
    return 0 if a is None or not a.size else int(a.__array_interface__["data"][0])  # `a.ctypes.data` takes three times as long


def plain(a: Any) -> Array:
    """An array as the unit takes it."""
    return np.ascontiguousarray(a, dtype=np.float32)
