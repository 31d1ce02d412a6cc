"""What a port may follow over time, waveforms and trains of events: each with its arguments, their units and their defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from birc.units import ONE, TIME, Unit, internal_unit, power


@dataclass(frozen=True)
class Argument:
    """One argument: its unit, None for that of the port, and what it is where it is not given; None: it must be given."""

    name: str
    unit: Unit | None
    default: float | None = None


_TIME, _RATE = internal_unit(TIME), internal_unit(power(TIME, -1))

WAVEFORMS: dict[str, tuple[Argument, ...]] = {
    "step": (Argument("amplitude", None), Argument("start", _TIME, 0.0), Argument("stop", _TIME, math.inf)),
    "ramp": (Argument("first", None), Argument("last", None), Argument("start", _TIME), Argument("stop", _TIME)),
    "pulses": (Argument("amplitude", None), Argument("period", _TIME), Argument("width", _TIME), Argument("start", _TIME, 0.0)),
    "sine": (Argument("amplitude", None), Argument("frequency", _RATE), Argument("offset", None, 0.0), Argument("phase", ONE, 0.0)),
    "noise": (Argument("mean", None), Argument("sd", None)),
}
"""Of inputs. `step` is on from `start` to before `stop`; `ramp` goes from `first` at `start` to `last` at `stop` and stays there; `pulses`
are on for `width` at `start` and every `period` from there; `sine` is offset + amplitude sin(2 pi frequency t + phase); `noise` draws
anew at every step for every neuron."""

TRAINS: dict[str, tuple[Argument, ...]] = {
    "at": (),
    "regular": (Argument("period", _TIME), Argument("start", _TIME, math.nan)),
    "poisson": (Argument("rate", _RATE),),
}
"""Of event ports, which add their `weight`. `at` takes any number of times; `regular` has an event at `start` (not given: one period) and
every `period` from there; `poisson` draws how many come at every step."""
