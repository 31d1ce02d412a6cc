"""A sweep as a function of TensorFlow with a derivative of its own: a call back to Python, which costs well under a millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from birc.fused import arrays
from birc.fused.arrays import NOTHING
from birc.fused.sweep import Array, Sweeper


def make(sweeper: Sweeper, given: tuple[int, ...], seen: tuple[int, ...]) -> Any:
    """See `birc.fused.sweep_on`."""
    kernel = sweeper.kernel
    inputs_end, slots_end = len(given), len(given) + len(kernel.slots)
    bind_end = slots_end + len(kernel.bind)

    def split(tensors: Sequence[Array]) -> tuple[list[Array], list[Array], list[Array]]:
        at = dict(zip(given, tensors[:inputs_end], strict=True))
        inputs = [at.get(i, NOTHING) for i in range(len(kernel.inputs))]
        return inputs, list(tensors[inputs_end:slots_end]), list(tensors[slots_end:bind_end])

    def ahead(*tensors: Array) -> list[Array]:
        return arrays.ahead(sweeper, *split(tensors), seen, tensors[bind_end])

    def back(*tensors: Array) -> list[Array]:
        mask, *ups = tensors[bind_end:]
        up = dict(zip(seen, ups, strict=False))
        return arrays.back(sweeper, *split(tensors), [up.get(i, NOTHING) for i in range(len(kernel.seen))], ups[len(seen) :], mask)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def sweep(*tensors: Any) -> Any:
        out = tf.numpy_function(ahead, tensors, [tf.float32] * (len(seen) + len(kernel.slots)), stateful=False)
        for i, a in enumerate(out):
            a.set_shape(tensors[0].shape if i < len(seen) else tensors[inputs_end].shape)

        def derivative(*ups: Any) -> list[Any]:
            kinds = [tf.float32] * (inputs_end + len(kernel.slots) + len(kernel.wanted))
            bars = tf.numpy_function(back, [*tensors, *ups], kinds, stateful=False)
            for bar, tensor in zip(bars, tensors[:slots_end], strict=False):
                bar.set_shape(tensor.shape)
            wanted = dict(zip(kernel.wanted, bars[slots_end:], strict=True))
            of_bind = []
            for name, tensor in zip(kernel.bind, tensors[slots_end:bind_end], strict=True):
                bar = wanted.get(name)
                each = tensor.shape.rank and tensor.shape[0] != 1
                total = None if bar is None else tf.reduce_sum(bar, axis=0) if each else tf.reduce_sum(bar)
                of_bind.append(None if total is None else tf.reshape(total, tf.shape(tensor)))
            return [*bars[:slots_end], *of_bind, None]

        return out, derivative

    def run(inputs: Sequence[Any], initial: Sequence[Any], bind: Sequence[Any], mask: Any = None) -> tuple[list[Any], list[Any]]:
        kept = NOTHING if mask is None else mask
        found = sweep(*(tf.convert_to_tensor(t, tf.float32) for t in (*inputs, *initial, *bind, kept)))
        return list(found[: len(seen)]), list(found[len(seen) :])

    return run
