"""The product of spikes and weights, in which inputs that are silent have no part."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from birc.nn.mistakes import data_mistake
from birc.nn.training.engines import engine

FEW = 0.25
"""The part of the inputs that is active anywhere in the batch, below which their rows are gathered; see `tests/nn/bench_sparse.py`."""
LARGE = 1e8
"""Multiplications of the dense product, below which to look for active inputs takes longer than it saves."""


def sparse_product(spikes: Any, weights: Any) -> Any:
    """See `TemporalProcessor.sparse_spike_processing`."""
    w = ops.convert_to_tensor(weights)
    if len(w.shape) != 2 or len(spikes.shape) < 2 or spikes.shape[-1] != w.shape[0]:
        shapes = f"spikes of shape {list(spikes.shape)} and weights of shape {list(w.shape)}"
        raise data_mistake("sparse_spike_processing", f"{shapes}; expected [..., inputs] and [inputs, outputs]")
    if hasattr(spikes, "tocsc"):
        columns = spikes.tocsc()
        active = np.flatnonzero(np.diff(columns.indptr))
        return ops.matmul(ops.convert_to_tensor(columns[:, active].toarray(), dtype=w.dtype), ops.take(w, active, axis=0))
    if engine() == "torch" and getattr(spikes, "is_sparse", False):
        import torch

        return torch.sparse.mm(spikes, w)
    if hasattr(spikes, "dense_shape" if engine() == "tensorflow" else "todense"):
        return ops.matmul(spikes, w)
    z = ops.convert_to_tensor(spikes)
    if not has_values(z) or np.prod(z.shape) * w.shape[1] < LARGE:
        return ops.matmul(z, w)
    active = active_inputs(z)
    return ops.matmul(z, w) if len(active) >= FEW * z.shape[-1] else of_active(z, w, active)


def active_inputs(z: Any) -> npt.NDArray[np.int64]:
    """Which of the inputs are not 0 in all samples and steps."""
    found = ops.any(ops.not_equal(ops.stop_gradient(z), 0), axis=tuple(range(len(z.shape) - 1)))
    return np.flatnonzero(ops.convert_to_numpy(found))


def of_active(z: Any, w: Any, active: npt.NDArray[np.int64]) -> Any:
    """Forwards over the active inputs; backwards over all, for the loss has a derivative by a silent one too."""

    def product(z: Any, w: Any) -> Any:
        def grad(*args: Any, upstream: Any = None) -> Any:
            upstream = args[0] if upstream is None else upstream
            flat = ops.reshape(upstream, (-1, upstream.shape[-1]))
            return ops.matmul(upstream, ops.transpose(w)), ops.matmul(ops.transpose(ops.reshape(z, (-1, z.shape[-1]))), flat)

        return ops.matmul(ops.take(z, active, axis=-1), ops.take(w, active, axis=0)), grad

    return ops.custom_gradient(product)(z, w)


def has_values(x: Any) -> bool:
    """Whether the values are there, and not only an expression of them in a graph."""
    if engine() == "tensorflow":
        return hasattr(x, "numpy")
    if engine() == "jax":
        import jax

        return not isinstance(x, jax.core.Tracer)
    return True
