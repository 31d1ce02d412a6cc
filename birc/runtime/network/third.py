"""Third parties: synapses of a projection that also reach an astrocyte, each one drawn cell, when its spike arrives."""

from __future__ import annotations

import numpy as np

from birc.backends import FLOATS
from birc.backends.networks import BoundProjection
from birc.ir.connectivity.build import sorted_edges
from birc.ir.connectivity.draws import draw
from birc.ir.connectivity.edges import Drawn
from birc.ir.connectivity.rules import occurrences
from birc.ir.model import Third
from birc.runtime.network.projections import Around
from birc.runtime.network.values import drawn, number
from birc.units import ONE


def bind_third(name: str, third: Third, base: BoundProjection, around: Around) -> BoundProjection:
    """The events that synapses of `base` hand on: each with probability p, fixed per synapse, to one cell of `via`.

    Whether and to whom are two uniform draws of the synapse (its pair, and which of the pair), like those of `birc.ir.connectivity`.
    """
    given = dict(third.properties)
    first, cells = around.slice(third.via)
    source, target = base.edges.source(), base.edges.target
    pair = around.seed, source, target, occurrences(source, target, base.edges.targets)
    chosen, who = (np.asarray(draw(Drawn("uniform", 0.0, 1.0, around.stream(name, what)), *pair)) for what in ("chosen", "cell"))
    cell = np.minimum((who * cells).astype(np.int32), cells - 1)
    takes = np.flatnonzero(chosen <= number(given["p"], around.names))
    takes = takes[np.lexsort((cell[takes], source[takes]))]
    delay = base.edges.delay() + base.dend
    step = next(p.step for p in around.program.populations if p.population.name == third.via.population)
    unit = next((p.unit for p in step.events if p.name == third.via.port), ONE)
    weight = draw(drawn(given["w"], around.names, around.stream(name, "w"), unit, third.span, f"`w` of {name}"), *pair)
    edges, order = sorted_edges(source[takes], cell[takes], delay[takes], base.edges.sources, cells)
    value = weight if not isinstance(weight, np.ndarray) else weight[takes][order].astype(FLOATS[around.dtype])
    return BoundProjection(name, base.source, base.first_source, third.via.population, first, third.via.port, edges, weight=value)
