"""What networks are made of: the sources and wiring rules that exist, with their arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from birc.units import ONE, TIME, Unit, internal_unit, power

DURATION = internal_unit(TIME)
RATE = internal_unit(power(TIME, -1))

Domain = Literal["any", "positive", "probability", "count", "not negative"]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a source or rule; `file`: it may name a file.

    `unit` None: of any unit, the same for all such arguments of one call.
    """

    name: str
    unit: Unit | None = ONE
    domain: Domain = "any"
    required: bool = True
    number: bool = True
    file: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source, or a wiring rule."""

    arguments: tuple[Argument, ...]
    events: bool = True


_START = Argument("start", DURATION, "not negative", required=False)
_STOP = Argument("stop", DURATION, "not negative", required=False)

SOURCES: dict[str, Kind] = {
    "poisson": Kind((Argument("rate", RATE, "not negative"),)),
    "regular": Kind((Argument("rate", RATE, "positive"), _START)),
    "spikes": Kind((Argument("file", number=False, file=True),)),
    "current_step": Kind((Argument("amplitude", None), _START, _STOP), events=False),
    "current_ramp": Kind((Argument("initial", None), Argument("final", None), _START, _STOP), events=False),
    "current_noise": Kind((Argument("mean", None), Argument("sd", None, "not negative")), events=False),
    "current_sine": Kind((Argument("amplitude", None), Argument("frequency", RATE, "positive")), events=False),
}

RULES: dict[str, Kind] = {
    "one_to_one": Kind(()),
    "all_to_all": Kind(()),
    "random": Kind((Argument("p", domain="probability"),)),
    "fixed_indegree": Kind((Argument("k", domain="count"),)),
    "fixed_outdegree": Kind((Argument("k", domain="count"),)),
    "fixed_total": Kind((Argument("n", domain="count"),)),
    "from_file": Kind((Argument("file", number=False, file=True),)),
    "dense": Kind(()),
    "conv2d": Kind((Argument("kernel", domain="count", file=True), Argument("stride", domain="count", required=False))),
    "shared": Kind((Argument("groups", domain="count"),)),
}

FLAGS = ("self", "multapses", "gap")
"""`self` lets a cell reach itself; `multapses` lets a pair have several synapses; `gap` couples by differences."""
MULTAPSES = ("fixed_indegree", "fixed_outdegree", "fixed_total", "from_file")
"""The rules that may make several synapses of a pair."""
DELAYS = ("axon", "dend", "back")


def misfit(value: float, domain: Domain) -> str | None:
    """What is wrong with a value; None where it fits."""
    match domain:
        case "positive" if not value > 0:
            return "must be greater than zero"
        case "not negative" if not value >= 0:
            return "cannot be negative"
        case "probability" if not 0 <= value <= 1:
            return "is a probability, from 0 to 1"
        case "count" if not (1 <= value < math.inf and value == math.floor(value)):
            return "is a whole number from 1"
        case _:
            return None
