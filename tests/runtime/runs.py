"""A view of a run of two populations, whose variables were recorded at different times, of different neurons and in different units."""

from __future__ import annotations

import numpy as np

from birc.runtime.export.view import PopulationView, Recorded, RunView
from birc.units import parse_unit

V = np.arange(20.0).reshape(10, 2) - 60.0
"""Of neurons 0 and 3, at stamps 101 … 110, in mV."""
G = np.arange(5.0)[:, None] * np.ones(4)
"""Of all neurons, at stamps 102, 104, … 110, in nS."""
W = 1000.0 * np.arange(10.0)[:, None] * np.ones(2)
"""In pA, shown in nA."""

EXCITATORY = PopulationView(
    "E",
    4,
    np.array([1, 3, 1], dtype=np.int32),
    np.array([10.1, 10.5, 11.0]),
    (
        Recorded("v", V, parse_unit("mV"), 101, 1, np.array([0, 3])),
        Recorded("g", G, parse_unit("nS"), 102, 2),
    ),
)
INHIBITORY = PopulationView(
    "I",
    2,
    np.array([0], dtype=np.int32),
    np.array([10.3]),
    (Recorded("v", 1000.0 * V, parse_unit("V"), 101, 1), Recorded("w", W, parse_unit("nA"), 101, 1)),
)
ABOUT = {"seed": 7, "dt": 0.1, "parameters": {"tau": {"value": 20.0, "unit": "ms"}}, "manifest": {"target": "numpy", "preset": None}}
TWO = RunView("Net", 0.1, 100, 110, (EXCITATORY, INHIBITORY), ABOUT)
EMPTY = RunView("Net", 0.1, 0, 1, (PopulationView("E", 2, np.zeros(0, np.int32), np.zeros(0)),), ABOUT)
