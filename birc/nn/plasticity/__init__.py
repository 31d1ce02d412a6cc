"""Layers whose weights change by rules of synapses, compiled from the library. Importing this package makes all of them known to Keras."""

from birc.nn.plasticity.eprop import EProp
from birc.nn.plasticity.stdp import STDPLayer
from birc.nn.plasticity.stp import STPLayer
from birc.nn.plasticity.three_factor import ThreeFactorRule

__all__ = ["EProp", "STDPLayer", "STPLayer", "ThreeFactorRule"]
