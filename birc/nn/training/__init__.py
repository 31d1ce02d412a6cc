"""Training of spiking networks over time."""

from birc.nn.training.curriculum import TemporalCurriculum
from birc.nn.training.dynamics import batched_lif_dynamics
from birc.nn.training.surrogate import SurrogateScheduler
from birc.nn.training.temporal import TemporalProcessor
from birc.nn.training.trainer import SpikingTrainer

__all__ = ["SpikingTrainer", "SurrogateScheduler", "TemporalCurriculum", "TemporalProcessor", "batched_lif_dynamics"]
