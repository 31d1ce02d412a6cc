"""From numbers to spikes, in NumPy; and the same inside `tf.data` and `keras.utils.PyDataset`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from birc.nn.encoding.encoder import SpikeEncoder

_HOME = {"EncodedDataset": "birc.nn.encoding.datasets", "encoded_tf_dataset": "birc.nn.encoding.datasets"}

__all__ = ["EncodedDataset", "SpikeEncoder", "encoded_tf_dataset"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'birc.nn.encoding' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
