"""A sweep as two custom calls of XLA, with a derivative of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from birc.backends.c_family.headers import header
from birc.fused.sweep import Shape, Sweeper, common
from birc.fused.xla import registered


def make(sweeper: Sweeper, given: tuple[int, ...], seen: tuple[int, ...]) -> Any:
    """See `birc.fused.sweep_on`."""
    kernel = sweeper.kernel
    (ahead, back), _ = registered(f"{kernel.text}\n\n{header('birc_xla.h', 'birc.fused')}\n", ("ahead", "back"))
    nothing = jax.ShapeDtypeStruct((0,), jnp.float32)

    def sizes(x: Any) -> tuple[Any, Any, dict[str, Any]]:
        shape = Shape(*x.shape)
        rows = jax.ShapeDtypeStruct((shape.outer, shape.steps, shape.inner), jnp.float32)
        ends = jax.ShapeDtypeStruct((shape.outer, shape.inner), jnp.float32)
        names = ("outer", "steps", "inner", "threads")
        return rows, ends, {name: np.int64(getattr(shape, name)) for name in names}

    def spread(values: Sequence[Any], places: Sequence[int], count: int) -> list[Any]:
        at = dict(zip(places, values, strict=True))
        empty = jnp.zeros((0,), jnp.float32)
        return [at.get(i, empty) for i in range(count)]

    def run(inputs: Any, initial: Any, bind: Any, mask: Any) -> Any:
        common(kernel, inputs, initial, bind, mask)
        rows, ends, attributes = sizes(inputs[0])
        results = [*(rows if i in seen else nothing for i in range(len(kernel.seen))), *(ends for _ in kernel.slots)]
        found = jax.ffi.ffi_call(ahead, results)(*spread(inputs, given, len(kernel.inputs)), *initial, *bind, mask, **attributes)
        return [found[i] for i in seen], list(found[len(kernel.seen) :])

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def sweep(inputs: Any, initial: Any, bind: Any, mask: Any) -> Any:
        return run(inputs, initial, bind, mask)

    def first(inputs: Any, initial: Any, bind: Any, mask: Any) -> Any:
        return run(inputs, initial, bind, mask), (inputs, initial, bind, mask)

    def second(held: Any, ups: Any) -> Any:
        inputs, initial, bind, mask = held
        up, up_last = ups
        rows, ends, attributes = sizes(inputs[0])
        results = [rows if i in given else nothing for i in range(len(kernel.inputs))]
        results += [ends for _ in kernel.slots] + [ends for _ in kernel.wanted]
        found = jax.ffi.ffi_call(back, results)(
            *spread(inputs, given, len(kernel.inputs)),
            *initial,
            *bind,
            mask,
            *spread(up, seen, len(kernel.seen)),
            *up_last,
            **attributes,
        )
        states, sums = found[len(kernel.inputs) : len(kernel.inputs) + len(kernel.slots)], found[len(kernel.inputs) + len(kernel.slots) :]
        wanted = dict(zip(kernel.wanted, sums, strict=True))
        of_slots = [jnp.zeros_like(a) if kind != "real" else bar for a, bar, kind in zip(initial, states, kernel.kinds, strict=True)]
        of_bind = [
            jnp.zeros_like(a) if name not in wanted else wanted[name].sum(0 if a.size > 1 else None).reshape(a.shape)
            for name, a in zip(kernel.bind, bind, strict=True)
        ]
        return [found[i] for i in given], of_slots, of_bind, jnp.zeros_like(mask)

    sweep.defvjp(first, second)

    def wide(a: Any) -> Any:
        return jnp.asarray(a, jnp.float32)

    def call(inputs: Sequence[Any], initial: Sequence[Any], bind: Sequence[Any], mask: Any = None) -> tuple[list[Any], list[Any]]:
        kept = jnp.zeros((0,), jnp.float32) if mask is None else wide(mask)
        outs, last = sweep([wide(a) for a in inputs], [wide(a) for a in initial], [wide(a) for a in bind], kept)
        return list(outs), list(last)

    return call
