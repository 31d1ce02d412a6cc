"""What enters a layer of synapses: sequences of spikes, looked at before Keras sees them."""

from __future__ import annotations

from typing import Any

import numpy as np

from birc.backends.keras.run import load_keras
from birc.nn.plasticity.arguments import mistake

keras: Any = load_keras()
ops: Any = keras.ops


def check_sequence(layer: Any, sequence: Any, features: int | None) -> None:
    """Raises I301 where a sequence is not of floats or truths, [batch, time, features]."""
    found = sequence if hasattr(sequence, "shape") else np.asarray(sequence)
    shape = tuple(found.shape)
    if len(shape) != 3:
        raise mistake(type(layer).__name__, layer.name, f"expected spikes [batch, time, features], not an input of shape {shape}")
    if features is not None and shape[-1] != features:
        raise mistake(type(layer).__name__, layer.name, f"expected {features} features, not {shape[-1]}")
    kind = keras.backend.standardize_dtype(found.dtype)
    if "int" in kind:
        message = f"expected spikes as floats (0 or 1) or truths, not {kind}"
        raise mistake(type(layer).__name__, layer.name, message, 'cast them: `x.astype("float32")`')


def events(spikes: Any) -> Any:
    """1 where a number is not 0; its derivative is that of the number."""
    return ops.cast(ops.not_equal(spikes, 0), spikes.dtype) + (spikes - ops.stop_gradient(spikes))
