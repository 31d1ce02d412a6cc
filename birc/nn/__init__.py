"""Layers that learn: the library's neurons, compiled to Keras, and what is needed to train networks of them.

Keras is imported with this package, because a saved model finds its layers only where they are registered.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from birc.backends.keras import BACKEND
from birc.errors import BircError

_HOME = {
    "BaseBiologicalLayer": "birc.nn.base",
    "neuron": "birc.nn.base",
    "LIFNeuron": "birc.nn.neurons",
    "ALIFNeuron": "birc.nn.neurons",
    "IzhikevichNeuron": "birc.nn.neurons",
    "AdExNeuron": "birc.nn.neurons",
    "HodgkinHuxleyNeuron": "birc.nn.neurons",
    "explain": "birc.nn.explained",
    "create_spiking_classifier": "birc.nn.builders",
    "create_spiking_cnn": "birc.nn.builders",
    "FastSigmoidSurrogate": "birc.nn.surrogates",
    "TriangularSurrogate": "birc.nn.surrogates",
    "ArctanSurrogate": "birc.nn.surrogates",
    "SigmoidSurrogate": "birc.nn.surrogates",
    "GaussianSurrogate": "birc.nn.surrogates",
    "MultiGaussianSurrogate": "birc.nn.surrogates",
    "StraightThroughSurrogate": "birc.nn.surrogates",
    "AdaptiveSurrogate": "birc.nn.surrogates",
    "ExpressionSurrogate": "birc.nn.surrogates",
    "EProp": "birc.nn.plasticity",
    "STDPLayer": "birc.nn.plasticity",
    "STPLayer": "birc.nn.plasticity",
    "ThreeFactorRule": "birc.nn.plasticity",
    "BCMLoss": "birc.nn.losses.plasticity",
    "DeadLayer": "birc.nn.callbacks",
    "DeadLayerWarning": "birc.nn.callbacks",
    "EligibilityMatchingLoss": "birc.nn.losses.plasticity",
    "EncodedDataset": "birc.nn.encoding.datasets",
    "FirstSpikeCrossEntropy": "birc.nn.losses.temporal",
    "HomeostaticRateLoss": "birc.nn.losses.plasticity",
    "MaxMembraneCrossEntropy": "birc.nn.losses.spiking",
    "NaNCheck": "birc.nn.nan_check",
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
WITHOUT_KERAS = ("SpikeDecoder", "SpikeEncoder")
"""They are NumPy only."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'birc.nn' has no attribute {name!r}")
    missing = BACKEND.missing()
    if missing is not None and name not in WITHOUT_KERAS:
        raise BircError("X001", f"birc.nn.{name} needs {missing.what}", help=missing.how)
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if BACKEND.missing() is None:
    import_module("birc.backends.keras.run").load_keras()
    for home in dict.fromkeys(_HOME.values()):
        import_module(home)
    del home
