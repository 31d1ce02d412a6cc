"""Losses of spiking networks; row k of [batch, time, neurons] is step k, as the layers give it."""

from birc.nn.losses.plasticity import BCMLoss, EligibilityMatchingLoss, HomeostaticRateLoss, WeightDependenceLoss
from birc.nn.losses.spiking import MaxMembraneCrossEntropy, SparsityLoss, SpikeCountMSE, SpikeRateLoss, SpikingCrossEntropy
from birc.nn.losses.temporal import FirstSpikeCrossEntropy, TemporalPrecisionLoss, VanRossumLoss

__all__ = [
    "BCMLoss",
    "EligibilityMatchingLoss",
    "FirstSpikeCrossEntropy",
    "HomeostaticRateLoss",
    "MaxMembraneCrossEntropy",
    "SparsityLoss",
    "SpikeCountMSE",
    "SpikeRateLoss",
    "SpikingCrossEntropy",
    "TemporalPrecisionLoss",
    "VanRossumLoss",
    "WeightDependenceLoss",
]
