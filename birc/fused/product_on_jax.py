"""The product with spikes as two custom calls of XLA, with a derivative of its own."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from birc.backends.c_family.headers import header
from birc.fused import product
from birc.fused.product import Size, size_of
from birc.fused.xla import registered

CALLS = ("product", "product_back")


def _called(name: int, results: Any, size: Size, *arguments: Any) -> Any:
    names, _ = registered(f"{product.text()}\n{header('product_xla.h', 'birc.fused')}\n", CALLS)
    return jax.ffi.ffi_call(names[name], results)(*arguments, threads=np.int64(size.threads))


@jax.custom_vjp  # type: ignore[untyped-decorator]
def _multiply(x: Any, kernel: Any, bias: Any) -> Any:
    return _first(x, kernel, bias)[0]


def _first(x: Any, kernel: Any, bias: Any) -> Any:
    size = size_of(x, kernel)
    looked_at = x[:: size.spacing]
    some = looked_at != 0
    few = (some.sum() <= product.MOST * some.size) | ~(some & (looked_at != 1)).any()
    y = jax.ShapeDtypeStruct((size.rows, size.units), jnp.float32)
    bits, whole = jax.ShapeDtypeStruct(size.bits, jnp.int32), jax.ShapeDtypeStruct((1,), jnp.int32)
    y, *marks = jax.lax.cond(
        few,
        lambda: _called(0, [y, bits, whole], size, x, kernel, bias),
        lambda: [x @ kernel + bias, jnp.zeros(bits.shape, bits.dtype), jnp.zeros(1, jnp.int32)],
    )
    return y, (x, kernel, few, *marks)


def _second(held: Any, up: Any) -> Any:
    x, kernel, few, bits, whole = held
    made = jax.ShapeDtypeStruct(kernel.shape, jnp.float32)
    bar = jax.lax.cond(few, lambda: _called(1, made, size_of(x, kernel), x, bits, whole, up), lambda: x.T @ up)
    return up @ kernel.T, bar, up.sum(0)


_multiply.defvjp(_first, _second)


def multiply(x: Any, kernel: Any, bias: Any = None) -> Any:
    """See `birc.fused.product_on`."""
    y = _multiply(x.reshape(-1, x.shape[-1]), kernel, jnp.zeros(kernel.shape[1], jnp.float32) if bias is None else bias)
    return y.reshape(*x.shape[:-1], -1)
