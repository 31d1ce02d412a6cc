"""A run as a block of Neo: one segment, and a group per population."""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np

from birc.runtime.export.packages import package
from birc.runtime.export.si import SYMBOLS, si
from birc.runtime.export.view import PopulationView, Recorded, RunView
from birc.units import BASES, Unit

if TYPE_CHECKING:
    from neo import AnalogSignal, Block, SpikeTrain


def block(view: RunView) -> Block:
    """A block with one segment that holds a spike train per neuron and an analog signal [rows, neurons] per recorded variable.

    There is a group for each population, with its trains and its signals. Each train is annotated with its population and neuron,
    each signal with its population, and its `neuron` array annotation tells the neurons of its channels; the block's annotation `birc`
    holds all that the run was made with. Raises X341 without Neo.
    """
    neo: Any = package("neo")
    segment, groups = neo.Segment(name=view.name), [neo.Group(name=population.name) for population in view.populations]
    for population, group in zip(view.populations, groups, strict=True):
        group.spiketrains.extend([_train(view, population, neuron, times) for neuron, times in enumerate(population.trains)])
        group.analogsignals.extend([_signal(view, population, variable) for variable in population.recorded if len(variable.values)])
    # all at once: Neo looks for each that is added among all that are there
    segment.spiketrains.extend([train for group in groups for train in group.spiketrains])
    segment.analogsignals.extend([signal for group in groups for signal in group.analogsignals])
    made = neo.Block(name=view.name, birc=view.plain_about)
    made.segments.append(segment)
    made.groups.extend(groups)
    return made


def _train(view: RunView, population: PopulationView, neuron: int, times: Any) -> SpikeTrain:
    neo: Any = package("neo")
    name = f"{population.name}[{neuron}]"
    ends = {"t_start": view.start * view.dt, "t_stop": view.stop * view.dt}
    return neo.SpikeTrain(times, units="ms", **ends, name=name, population=population.name, neuron=neuron)


def _signal(view: RunView, population: PopulationView, variable: Recorded) -> AnalogSignal:
    neo: Any = package("neo")
    import quantities

    return neo.AnalogSignal(
        np.asarray(variable.shown),
        units=_quantity(variable.unit),
        sampling_period=variable.every * view.dt * quantities.ms,
        t_start=variable.first * view.dt * quantities.ms,
        name=variable.name,
        population=population.name,
        array_annotations={"neuron": variable.who},
    )


def _quantity(unit: Unit) -> Any:
    """A unit of quantities: its own of that name where it is the same, else one made from those of the SI."""
    import quantities

    if unit.text == "1":
        return quantities.dimensionless
    exponents = ((base, float(exponent)) for base, exponent in zip(BASES, unit.dimension, strict=True) if exponent)
    bases = reduce(mul, (getattr(quantities, SYMBOLS[base]) ** exponent for base, exponent in exponents))
    exact = (bases * si(unit.dimension)[1] * float(unit.scale)).simplified
    try:
        known = quantities.Quantity(1.0, unit.text.replace("^", "**"))
    except (LookupError, SyntaxError):
        known = None
    if known is not None and known.simplified.units == exact.units and np.isclose(known.simplified.item(), exact.item(), rtol=1e-9, atol=0):
        return known.units
    return quantities.UnitQuantity(unit.text, exact, symbol=unit.text)
