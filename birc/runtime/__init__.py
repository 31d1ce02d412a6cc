"""What artifacts need to run from Python: parameters, inputs, recording, results."""

from birc.runtime.result import Result, SpikeTimes, State
from birc.runtime.simulator import Simulator

__all__ = ["Result", "Simulator", "SpikeTimes", "State"]
