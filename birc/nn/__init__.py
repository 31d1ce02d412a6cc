"""Spiking networks that learn: layers, losses, encoders and training on Keras 3.

The names below are imported when they are first used; those that are Keras objects need the extra `keras`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "BCMLoss": "birc.nn.losses.plasticity",
    "DeadLayer": "birc.nn.callbacks",
    "DeadLayerWarning": "birc.nn.callbacks",
    "EligibilityMatchingLoss": "birc.nn.losses.plasticity",
    "EncodedDataset": "birc.nn.encoding.datasets",
    "FirstSpikeCrossEntropy": "birc.nn.losses.temporal",
    "HomeostaticRateLoss": "birc.nn.losses.plasticity",
    "MaxMembraneCrossEntropy": "birc.nn.losses.spiking",
    "RateRegularizer": "birc.nn.regularizers",
    "SparsityLoss": "birc.nn.losses.spiking",
    "SparsityRegularizer": "birc.nn.regularizers",
    "SpikeCountMSE": "birc.nn.losses.spiking",
    "SpikeDecoder": "birc.nn.decoding",
    "SpikeEncoder": "birc.nn.encoding.encoder",
    "SpikeRateLoss": "birc.nn.losses.spiking",
    "SpikingCrossEntropy": "birc.nn.losses.spiking",
    "SpikingTrainer": "birc.nn.training.trainer",
    "SurrogateScheduler": "birc.nn.training.surrogate",
    "TemporalCurriculum": "birc.nn.training.curriculum",
    "TemporalPrecisionLoss": "birc.nn.losses.temporal",
    "TemporalProcessor": "birc.nn.training.temporal",
    "VanRossumLoss": "birc.nn.losses.temporal",
    "WeightDependenceLoss": "birc.nn.losses.plasticity",
    "WeightDependenceRegularizer": "birc.nn.regularizers",
    "batched_lif_dynamics": "birc.nn.training.dynamics",
    "encoded_tf_dataset": "birc.nn.encoding.datasets",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'birc.nn' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
