"""What the layers say of their models: which argument sets which parameter in which unit, what can be learned, how a neuron is driven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STEP = "steps"
"""The unit of a duration that is given in steps of the layer."""


@dataclass(frozen=True)
class Argument:
    """A constructor's argument: the model's parameter that it sets, its own unit, and the size of that in the parameter's unit."""

    name: str
    parameter: str
    unit: str = "1"
    scale: float = 1.0
    """Of `steps`, the layer's own dt stands for it."""

    def value(self, given: object, dt: float) -> object:
        """What is given, in the parameter's unit; text keeps its own. dt: a step, in ms."""
        if isinstance(given, str):
            return given
        scale = dt if self.unit == STEP else self.scale
        return [float(x) * scale for x in given] if isinstance(given, (list, tuple)) else given * scale  # type: ignore[operator]


@dataclass(frozen=True)
class About:
    """A layer's model in the library, and what the layer is unless it is told otherwise."""

    model: str
    arguments: tuple[Argument, ...] = ()
    learn: tuple[str, ...] = ()
    """The parameters that `learnable_parameters=True` means; without any, all that can be learned."""
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """Ranges narrower than the model's, in the parameters' units."""
    substeps: int = 1
    gain: float = 1.0
    """What an input of 1 is, in the unit of the port."""
    margin: float = 1.0
    """The distance to the threshold that the surrogate sees as 1, in the unit of the potential."""

    def argument(self, name: str) -> Argument | None:
        """The argument of this name."""
        return next((a for a in self.arguments if a.name == name), None)


def _seconds(name: str, parameter: str) -> Argument:
    return Argument(name, parameter, "s", 1000.0)


LIF = About(
    "lif_unit",
    (
        Argument("threshold", "v_th"),
        Argument("reset_potential", "v_reset"),
        _seconds("membrane_time_constant", "tau_m"),
        Argument("resistance", "R"),
        Argument("refractory_period", "t_ref", STEP),
    ),
    ("tau_m", "R", "v_th", "v_reset"),
    {"v_th": (1e-3, None)},
)
ALIF = About(
    "alif_unit",
    (
        Argument("threshold", "b_0"),
        _seconds("membrane_time_constant", "tau_m"),
        Argument("resistance", "R"),
        _seconds("adaptation_time_constant", "tau_b"),
        _seconds("adaptation_strength", "beta"),
    ),
    ("tau_m", "R", "b_0", "beta", "tau_b"),
    {"b_0": (1e-3, None)},
)
IZHIKEVICH = About(
    "izhikevich",
    (
        Argument("a", "a", "1/ms"),
        Argument("b", "b", "1/ms"),
        Argument("c", "c", "mV"),
        Argument("d", "d", "mV/ms"),
    ),
    ("a", "b", "c", "d"),
    substeps=2,
    gain=10.0,
    margin=30.0,
)
ADEX = About(
    "adex",
    (
        Argument("membrane_capacitance", "C", "F", 1e12),
        Argument("leak_conductance", "g_L", "S", 1e9),
        Argument("resting_potential", "E_L", "V", 1e3),
        Argument("threshold", "v_T", "V", 1e3),
        Argument("slope_factor", "D_T", "V", 1e3),
        _seconds("adaptation_time_constant", "tau_w"),
        Argument("subthreshold_adaptation", "a", "S", 1e9),
        Argument("spike_adaptation", "b", "A", 1e12),
        Argument("reset_potential", "v_r", "V", 1e3),
    ),
    ("C", "g_L", "E_L", "v_T", "D_T", "tau_w", "a", "b", "v_r"),
    substeps=2,
    gain=500.0,
    margin=20.0,
)
HODGKIN_HUXLEY = About(
    "hodgkin_huxley",
    (),
    ("C", "na.g", "k.g", "leak.g"),
    {"na.g": (0.0, None), "k.g": (0.0, None), "leak.g": (0.0, None)},
    substeps=4,
    gain=10.0,
    margin=50.0,
)

LAYERS: Mapping[str, About] = {
    "LIFNeuron": LIF,
    "ALIFNeuron": ALIF,
    "IzhikevichNeuron": IZHIKEVICH,
    "AdExNeuron": ADEX,
    "HodgkinHuxleyNeuron": HODGKIN_HUXLEY,
}

LATER = "izhikevich_2004"
"""The file with the twenty types of Izhikevich (2004), taken for a type that the first paper does not have."""
