"""Leaky integrate-and-fire neuron in units of its threshold.

Gerstner, Kistler, Naud and Paninski (2014), Neuronal Dynamics, section 1.3, with v = (u - u_rest) / (theta - u_rest).

A Keras 3 layer, for TensorFlow, JAX and torch: `LIFUnit`; and a cell for `keras.layers.RNN`: `LIFUnitCell`. The function `step`
is the model's step from stamp k to k+1; inside, all is in ms, mV, pA, nS, pF, um, uM. Made by birc; self-contained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from inspect import signature
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

REAL = "float64" if keras.config.floatx() == "float64" else "float32"
"""The number type of the step: that of Keras, but never less than float32."""
PROGRAM = "46302d0d3f1e" + ("" if REAL == "float32" else "_" + REAL)
"""Tells this program from any other under the same name; saved models ask for it."""


class LayerError(ValueError):
    """An option or a number that the layer cannot take."""


class Parameter(NamedTuple):
    """A parameter: the layer's argument, its default (in internal units; or a function of the others), its units with their size in
    internal units (its own first), its range, and why it cannot be learned, if so."""

    argument: str
    default: Any
    units: Mapping[str, float]
    low: float
    high: float
    low_closed: bool
    high_closed: bool
    fixed: str = ""

    @property
    def unit(self) -> str:
        """The unit of plain numbers and of the weight."""
        return next(iter(self.units))

    @property
    def scale(self) -> float:
        """Internal units in one unit."""
        return self.units[self.unit]

    def internal(self, value: Any) -> Any:
        """A number, an array or text such as `"20 ms"`, in internal units; one that is out of range is refused."""
        found = np.asarray(quantity(value, self.units, self.argument), dtype=np.float64)
        above = found >= self.low if self.low_closed else found > self.low
        below = found <= self.high if self.high_closed else found < self.high
        if not np.all(above & below):
            low, high = ("[" if self.low_closed else "("), ("]" if self.high_closed else ")")
            bounds = f"{low}{self.low / self.scale:g}, {self.high / self.scale:g}{high}"
            raise LayerError(f"{self.argument} = {value!r} is outside its range {bounds} {self.unit}")
        return found[()]


def quantity(value: Any, units: Mapping[str, float], what: str) -> Any:
    """Text, or a number in the first of the units, in internal units."""
    scale = next(iter(units.values()))
    if isinstance(value, str):
        text, _, unit = value.strip().partition(" ")
        unit = unit.strip() or "1"
        if unit not in units:
            raise LayerError(f"{what} = {value!r}: expected a number, or text in {', '.join(units)}")
        value, scale = text, units[unit]
    try:
        return np.asarray(value, dtype=np.float64) * scale
    except (TypeError, ValueError):
        raise LayerError(f"{what} = {value!r} is no number") from None


class Values(dict[str, Any]):
    """Parameters in internal units: what was given, else what the preset or the model says, which may depend on others."""

    def __init__(self, given: Mapping[str, Any], preset: str | None) -> None:
        super().__init__(given)
        self.sources = {name: row.default for name, row in PARAMETERS.items()} | (PRESETS[preset] if preset else {})

    def __missing__(self, name: str) -> Any:
        source = self.sources[name]
        self[name] = np.float64(source(np, self) if callable(source) else source)
        return self[name]


INF = float("inf")
PARAMETERS: dict[str, Parameter] = {
    "tau_m": Parameter(
        "tau_m", 20.0, {"ms": 1.0, "s": 1000.0, "us": 0.001, "ns": 1e-06},
        low=0.0, high=float("inf"), low_closed=False, high_closed=False,
    ),
    "R": Parameter(
        "R", 1.0, {"1": 1.0},
        low=float("-inf"), high=float("inf"), low_closed=True, high_closed=True,
    ),
    "v_th": Parameter(
        "v_th", 1.0, {"1": 1.0},
        low=float("-inf"), high=float("inf"), low_closed=True, high_closed=True,
    ),
    "v_reset": Parameter(
        "v_reset", 0.0, {"1": 1.0},
        low=float("-inf"), high=float("inf"), low_closed=True, high_closed=True,
    ),
    "t_ref": Parameter(
        "t_ref", 2.0, {"ms": 1.0, "s": 1000.0, "us": 0.001, "ns": 1e-06},
        low=0.0, high=float("inf"), low_closed=True, high_closed=False, fixed="it is counted in whole steps, which have no derivative",
    ),
}
PRESETS: dict[str, dict[str, Any]] = {
    "no_refractory": {"t_ref": 0.0},
}
SLOTS: dict[str, tuple[str, str, float]] = {
    "v": ("real", "init_v", 1.0),
    "refractory": ("int", "init_refractory", 1.0),
}
"""Kind, initial value and internal units per unit of each slot."""
PORTS: dict[str, float] = {"I": 1.0, "syn": 1.0}
"""Internal units per unit of each port; currents first, then events."""
EVENT_PORTS: tuple[str, ...] = ("syn",)
SUMMING: tuple[str, ...] = ("syn",)
"""Ports of which only the sum of what arrives matters."""
OUTPUTS: dict[str, float] = {}
DRAWS: tuple[str, ...] = ()
"""The normal numbers that a step draws."""
SPIKING = True
NEEDS: dict[str, tuple[str, ...]] = {
    "v_th": ("v_th",),
    "v_reset": ("v_reset",),
    "init_v": (),
    "n_ref": ("t_ref",),
    "init_refractory": (),
    "E_v": ("tau_m",),
    "Q_v_I": ("tau_m", "R"),
}
"""The parameters on which each bind value depends."""
TIMES = {"ms": 1.0, "s": 1000.0, "us": 0.001, "ns": 1e-06}


def steps(m: Any, duration: Any, h: Any) -> Any:
    """A duration in whole steps, halves rounded up."""
    whole = m.floor(duration / h + 0.5)
    if m is ops:
        return ops.cast(whole, "int32")
    if not np.all((whole >= 0) & (whole < 2**31)):
        raise LayerError(f"a duration of {duration} ms is no number of steps of {h} ms")
    return np.asarray(whole).astype(np.int32)[()]


def exprel(x: Any) -> Any:
    """(exp(x) - 1) / x, and 1 at 0."""
    if isinstance(x, (float, np.ndarray, np.generic)):
        zero = np.equal(x, 0)
        return np.where(zero, 1.0, np.expm1(x) / np.where(zero, 1.0, x))
    return _exprel(x)


@ops.custom_gradient
def _exprel(x: Any) -> Any:
    zero = ops.equal(x, 0)
    y = ops.where(zero, ops.ones_like(x), ops.expm1(x) / ops.where(zero, ops.ones_like(x), x))

    def grad(*args: Any, upstream: Any = None) -> Any:
        upstream = args[0] if upstream is None else upstream
        near = ops.abs(x) < 0.03  # where exp(x) - y cancels
        series = 0.5 + x * (1 / 3 + x * (0.125 + x * (1 / 30 + x / 144)))
        return upstream * ops.where(near, series, (ops.exp(x) - y) / ops.where(near, ops.ones_like(x), x))

    return y, grad


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow on either side."""
    if not isinstance(x, (float, np.ndarray, np.generic)):
        return ops.sigmoid(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


# --- the model


def bind(m: Any, dt: Any, p: Mapping[str, Any]) -> dict[str, Any]:
    """What depends on the step dt (ms) and on parameters only; m is NumPy, or keras.ops where a parameter is learned."""
    h = dt
    tau_m = p["tau_m"]  # lif_unit.birc:8
    R = p["R"]  # lif_unit.birc:8
    v_th = p["v_th"]  # lif_unit.birc:8
    v_reset = p["v_reset"]  # lif_unit.birc:8
    t_ref = p["t_ref"]  # lif_unit.birc:8
    init_v = 0.0  # lif_unit.birc:9
    n_ref = steps(m, t_ref, h)  # lif_unit.birc:15
    init_refractory = 0
    t0 = -1.0 / tau_m * h
    E_v = m.expm1(t0)
    Q_v_I = h * exprel(t0) * (R / tau_m)
    return {
        "v_th": v_th,
        "v_reset": v_reset,
        "init_v": init_v,
        "n_ref": n_ref,
        "init_refractory": init_refractory,
        "E_v": E_v,
        "Q_v_I": Q_v_I,
    }


def step(bind: Any, state: Any, inputs: Any, events: Any, draws: Any, spike: Any) -> tuple[Any, Any, Any, Any]:
    """One step: the state at stamp k+1, who fired (as truth, and as the number that learns), and the outputs.

    state, inputs: tensors by name; events: by port the sum of what arrives, or rounds of (whom it reaches, payload); draws: standard
    normal numbers.
    """
    v_th = bind["v_th"]
    v_reset = bind["v_reset"]
    n_ref = bind["n_ref"]
    E_v = bind["E_v"]
    Q_v_I = bind["Q_v_I"]
    # input
    I = inputs["I"]  # lif_unit.birc:10
    # flow
    v = state["v"]  # lif_unit.birc:9
    r = state["refractory"]  # lif_unit.birc:15
    busy = r > 0  # lif_unit.birc:15
    v_1 = ops.where(busy, v, v + (E_v * v + Q_v_I * I))  # lif_unit.birc:11
    # deliver
    syn_w = events["syn"]  # lif_unit.birc:12
    v_2 = ops.where(busy, v_1, v_1 + syn_w)  # lif_unit.birc:12
    # test
    fired = ops.logical_and(v_2 >= v_th, ops.logical_not(busy))  # lif_unit.birc:13
    margin = ops.where(busy, float("-inf"), v_2 - v_th)
    z = spike(fired, margin)
    # reset
    v_3 = spike.reset(fired, z, v_reset, v_2)  # lif_unit.birc:14
    r_1 = ops.where(fired, n_ref, ops.maximum(r - 1, 0))  # lif_unit.birc:15
    # emit
    return {"v": v_3, "refractory": r_1}, fired, z, {}


# --- the spike


def surrogate_fast_sigmoid(x: Any, beta: float = 10.0) -> Any:
    """Zenke and Ganguli (2018), Neural Comput. 30:1514."""
    t0 = 1.0 + beta * ops.abs(x)
    return 1.0 / (t0 * t0)


def surrogate_fast_sigmoid_by_slope(x: Any, beta: float = 10.0) -> Any:
    """The derivative by beta of what the spike is taken for."""
    t0 = ops.maximum(-1000000.0, ops.minimum(x, 1000000.0))
    t1 = ops.abs(t0)
    t2 = 1.0 + beta * t1
    return -(t0 * t1 / (t2 * t2))


def surrogate_fast_sigmoid_seed(x: Any, beta: float = 1.0) -> Any:
    """The same with beta / (1 + beta|x|)."""
    return beta / (1.0 + beta * ops.abs(x))


def surrogate_fast_sigmoid_seed_by_slope(x: Any, beta: float = 1.0) -> Any:
    """The derivative by beta of what the spike is taken for."""
    t0 = ops.maximum(-1000000.0, ops.minimum(x, 1000000.0))
    return t0 / (1.0 + beta * ops.abs(t0))


def surrogate_triangular(x: Any, gamma: float = 1.0) -> Any:
    """Bellec et al. (2018), NeurIPS 31:787."""
    return gamma * ops.maximum(0.0, 1.0 - ops.abs(x))


def surrogate_triangular_by_slope(x: Any, gamma: float = 1.0) -> Any:
    """The derivative by gamma of what the spike is taken for."""
    t0 = ops.maximum(-1.0, ops.minimum(x, 1.0))
    return t0 - 0.5 * t0 * ops.abs(t0)


def surrogate_arctan(x: Any, alpha: float = 2.0) -> Any:
    """Fang et al. (2021), ICCV, p. 2641."""
    t0 = 1.5707963267948966 * alpha * x
    return 0.5 * alpha / (1.0 + t0 * t0)


def surrogate_arctan_by_slope(x: Any, alpha: float = 2.0) -> Any:
    """The derivative by alpha of what the spike is taken for."""
    t0 = ops.maximum(-1000000.0, ops.minimum(x, 1000000.0))
    t1 = 1.5707963267948966 * alpha * t0
    return 0.5 * t0 / (1.0 + t1 * t1)


def surrogate_sigmoid(x: Any, alpha: float = 4.0) -> Any:
    """The logistic function's derivative."""
    t0 = sigmoid(alpha * x)
    return alpha * (t0 * (1.0 - t0))


def surrogate_sigmoid_by_slope(x: Any, alpha: float = 4.0) -> Any:
    """The derivative by alpha of what the spike is taken for."""
    t0 = ops.maximum(-1000000.0, ops.minimum(x, 1000000.0))
    t1 = sigmoid(alpha * t0)
    return t0 * (t1 * (1.0 - t1))


def surrogate_gaussian(x: Any, sigma: float = 0.5) -> Any:
    """The normal density."""
    t0 = x / sigma
    return ops.exp(-(0.5 * (t0 * t0))) / (2.5066282746310002 * sigma)


def surrogate_gaussian_by_slope(x: Any, sigma: float = 0.5) -> Any:
    """The derivative by sigma of what the spike is taken for."""
    t0 = ops.maximum(-1000000.0, ops.minimum(x, 1000000.0)) / sigma
    return -(t0 * (ops.exp(-(0.5 * (t0 * t0))) / (2.5066282746310002 * sigma)))


def surrogate_multi_gaussian(x: Any, sigma: float = 0.5, height: float = 0.15, width: float = 6.0) -> Any:
    """Yin, Corradi and Bohté (2021), Nat. Mach. Intell. 3:905: a density with a negative one, wider, on either side."""
    t0 = x / sigma
    t1 = width * sigma
    t2 = (x - sigma) / t1
    t3 = 2.5066282746310002 * t1
    t4 = (x + sigma) / t1
    return (1.0 + height) * (ops.exp(-(0.5 * (t0 * t0))) / (2.5066282746310002 * sigma)) - height * (ops.exp(-(0.5 * (t2 * t2))) / t3 + ops.exp(-(0.5 * (t4 * t4))) / t3)


def surrogate_multi_gaussian_by_slope(x: Any, sigma: float = 0.5, height: float = 0.15, width: float = 6.0) -> Any:
    """The derivative by sigma of what the spike is taken for."""
    t0 = ops.maximum(-1000000.0, ops.minimum(x, 1000000.0))
    t1 = t0 / sigma
    t2 = width * sigma
    t3 = (t0 - sigma) / t2
    t4 = 2.5066282746310002 * t2
    t5 = (t0 + sigma) / t2
    t6 = (1.0 + height) * (ops.exp(-(0.5 * (t1 * t1))) / (2.5066282746310002 * sigma)) - height * (ops.exp(-(0.5 * (t3 * t3))) / t4 + ops.exp(-(0.5 * (t5 * t5))) / t4)
    return -(t1 * t6)


def surrogate_straight_through(x: Any) -> Any:
    """Bengio, Léonard and Courville (2013), arXiv:1308.3432."""
    return 1.0 * ops.ones_like(x)


SURROGATES = {
    "fast_sigmoid": surrogate_fast_sigmoid,
    "fast_sigmoid_seed": surrogate_fast_sigmoid_seed,
    "triangular": surrogate_triangular,
    "arctan": surrogate_arctan,
    "sigmoid": surrogate_sigmoid,
    "gaussian": surrogate_gaussian,
    "multi_gaussian": surrogate_multi_gaussian,
    "straight_through": surrogate_straight_through,
}
SLOPES = {
    "fast_sigmoid": ("beta", surrogate_fast_sigmoid_by_slope),
    "fast_sigmoid_seed": ("beta", surrogate_fast_sigmoid_seed_by_slope),
    "triangular": ("gamma", surrogate_triangular_by_slope),
    "arctan": ("alpha", surrogate_arctan_by_slope),
    "sigmoid": ("alpha", surrogate_sigmoid_by_slope),
    "gaussian": ("sigma", surrogate_gaussian_by_slope),
    "multi_gaussian": ("sigma", surrogate_multi_gaussian_by_slope),
}
"""The argument of each surrogate that may be learned, and how."""
OTHERS: dict[str, Any] = {}
"""Surrogates that somebody has added, by name."""
SURROGATE = "fast_sigmoid"
"""The one that a layer has unless it is told otherwise."""


def surrogate_of(name: str) -> Any:
    """The surrogate of this name."""
    return OTHERS[name] if name in OTHERS else SURROGATES[name]


class Spike:
    """The spike: who fires is decided exactly; backwards the surrogate's value at the margin stands for the step's derivative.

    scale: the margin at which the surrogate sees 1, in internal units. slope: makes it see more; learned: arguments that are weights.
    """

    def __init__(self, name: str, scale: float, arguments: Mapping[str, float], detach_reset: bool) -> None:
        self.name, self.scale, self.arguments, self.detach_reset = name, scale, dict(arguments), detach_reset
        self.slope: Any = 1.0
        self.learned: Mapping[str, Any] = {}

    def seen(self, slope: Any, learned: Mapping[str, Any]) -> Spike:
        """The same with tensors for its slope and for arguments that are learned."""
        spike = Spike(self.name, self.scale, self.arguments, self.detach_reset)
        spike.slope, spike.learned = slope, learned
        return spike

    def __call__(self, fired: Any, margin: Any) -> Any:
        """1 where a neuron fired, 0 elsewhere."""
        hard = ops.cast(fired, REAL)
        return hard if margin is None else self.surrogate(hard, margin)

    def surrogate(self, hard: Any, margin: Any) -> Any:
        names = tuple(self.learned)

        @ops.custom_gradient
        def spike(hard: Any, x: Any, slope: Any, *learned: Any) -> Any:
            def grad(*args: Any, upstream: Any = None) -> Any:
                upstream = args[0] if upstream is None else upstream
                arguments = {**self.arguments, **dict(zip(names, learned, strict=True))}
                by_x = upstream * surrogate_of(self.name)(slope * x, **arguments)
                by_learned = [ops.sum(upstream * SLOPES[self.name][1](slope * x, **arguments)) / slope for _ in names]
                return ops.zeros_like(hard), by_x, ops.zeros_like(slope), *by_learned

            return hard, grad

        return spike(hard, margin / self.scale, ops.convert_to_tensor(self.slope, REAL), *self.learned.values())

    def reset(self, fired: Any, z: Any, after: Any, before: Any) -> Any:
        """`after` where a neuron fired, else `before`; unless detached, moving the threshold moves the state with it."""
        chosen = ops.where(fired, after, before)
        if self.detach_reset:
            return chosen
        jump = ops.stop_gradient(after - before)
        return chosen + (z - ops.stop_gradient(z)) * ops.where(ops.isfinite(jump), jump, ops.zeros_like(jump))


class Hard(Spike):
    """Without a derivative."""

    def __init__(self) -> None:
        super().__init__("straight_through", 1.0, {}, True)

    def surrogate(self, hard: Any, margin: Any) -> Any:
        return hard


# --- what a layer is told


ARGUMENTS = {row.argument: name for name, row in PARAMETERS.items()}
"""The parameter of each argument."""


def one_of(what: str, name: Any, known: Iterable[str]) -> str:
    """A name that must be one of those known."""
    known = tuple(known)
    if name not in known:
        near = get_close_matches(str(name), known, 1)
        raise LayerError(f"{what}: {name!r} is none of {', '.join(known) or 'none'}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return str(name)


def names_of(value: Any) -> tuple[Any, ...]:
    """One name, or several."""
    return (value,) if isinstance(value, str) else tuple(value)


def plain(value: Any) -> Any:
    """A value as it can stand in a configuration."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else list(value) if isinstance(value, tuple) else value


class Settings:
    """What layer and cell are told of the model, checked; `config` gives it back."""

    KERAS = ("name", "dtype", "trainable", "activity_regularizer", "autocast")
    KEYS = (
        "dt", "preset", "learn", "per_feature", "ports", "output", "surrogate", "learn_surrogate",
        "detach_reset", "initializers", "regularizers", "ranges", "substeps", "noise", "gain",
    )

    def __init__(
        self,
        dt: Any,
        parameters: Mapping[str, Any],
        preset: str | None = None,
        learn: Any = (),
        per_feature: bool = False,
        ports: Any = None,
        output: Any = None,
        surrogate: Any = SURROGATE,
        learn_surrogate: bool = False,
        detach_reset: bool = True,
        initializers: Mapping[str, Any] | None = None,
        regularizers: Mapping[str, Any] | None = None,
        ranges: Mapping[str, Any] | None = None,
        substeps: int = 1,
        noise: bool = True,
        gain: float = 1.0,
    ) -> None:
        self.dt, self.preset, self.per_feature, self.detach_reset = dt, preset, bool(per_feature), bool(detach_reset)
        if not (isinstance(substeps, int) and 0 < substeps):
            raise LayerError(f"substeps = {substeps!r} is no whole number from 1 on")
        if not (isinstance(gain, (int, float)) and -INF < gain < INF):
            raise LayerError(f"gain = {gain!r} is no number")
        self.substeps, self.noise, self.gain = substeps, bool(noise), float(gain)
        self.h = float(quantity(dt, TIMES, "dt")) / substeps
        if not 0 < self.h < INF:
            raise LayerError(f"dt = {dt!r}: a step lasts longer than 0 and not for ever")
        if preset is not None:
            one_of("preset", preset, PRESETS)
        self.parameters = dict(parameters)
        self.given = {ARGUMENTS[a]: PARAMETERS[ARGUMENTS[a]].internal(v) for a, v in parameters.items()}
        self.values = Values(self.given, preset)
        self.ranges = {one_of("ranges", a, ARGUMENTS): ends for a, ends in (ranges or {}).items()}
        self.rows = {n: narrowed(row, self.ranges[row.argument]) if row.argument in self.ranges else row for n, row in PARAMETERS.items()}
        for name, row in self.rows.items():
            row.internal(plain(np.asarray(self.values[name]) / row.scale))
        self.learn = tuple(ARGUMENTS[one_of("learn", a, ARGUMENTS)] for a in names_of(learn))
        for row in (PARAMETERS[name] for name in self.learn):
            if row.fixed:
                raise LayerError(f"{row.argument} cannot be learned: {row.fixed}")
        self.ports = tuple(one_of("ports", p, PORTS) for p in (tuple(PORTS)[:1] if ports is None else names_of(ports)))
        default = ("spikes",) if SPIKING else tuple(OUTPUTS or SLOTS)[:1]
        known = (*(("spikes",) if SPIKING else ()), *SLOTS, *OUTPUTS)
        self.several = output is not None and not isinstance(output, str)
        self.output = tuple(one_of("output", o, known) for o in (default if output is None else names_of(output)))
        arguments = {"name": surrogate} if isinstance(surrogate, str) else dict(surrogate)
        self.surrogate = dict(arguments)
        name = arguments.pop("name", None)
        name = name if name in OTHERS else one_of("surrogate", name, SURROGATES)
        for key, value in arguments.items():
            one_of(f"surrogate {name}", key, (*tuple(signature(surrogate_of(name)).parameters)[1:], "scale"))
            if not (isinstance(value, (int, float)) and (0 < value < INF or (key, value) == ("height", 0))):
                raise LayerError(f"surrogate {name}: {key} = {value!r} is no number above 0")
        self.learn_surrogate = bool(learn_surrogate)
        if learn_surrogate and not (SPIKING and name in SLOPES):
            raise LayerError(f"learn_surrogate: {f'{name} has no slope' if SPIKING else 'this model never spikes'}")
        self.spike = Spike(name, float(arguments.pop("scale", 1.0)), arguments, self.detach_reset)
        self.initializers = {one_of("initializers", a, ARGUMENTS): keras.initializers.get(i) for a, i in (initializers or {}).items()}
        self.regularizers = {one_of("regularizers", a, ARGUMENTS): keras.regularizers.get(r) for a, r in (regularizers or {}).items()}

    @classmethod
    def take(cls, options: dict[str, Any]) -> Settings:
        """The settings among a layer's options, which are taken out; `None` stands for the default. Keras knows the rest."""
        for name in options:
            one_of("option", name, (*ARGUMENTS, *cls.KEYS, *cls.KERAS))
        if options.get("dt") is None:
            raise LayerError('dt is missing: the length of a step, such as dt="1 ms"')
        parameters = {a: options.pop(a) for a in ARGUMENTS if a in options}
        chosen = {key: options.pop(key) for key in cls.KEYS if key in options}
        return cls(parameters={a: v for a, v in parameters.items() if v is not None}, **{k: v for k, v in chosen.items() if v is not None})

    def config(self) -> dict[str, Any]:
        """What `take` takes."""
        return {
            "dt": plain(self.dt),
            **{a: plain(v) for a, v in self.parameters.items()},
            "preset": self.preset,
            "learn": [PARAMETERS[name].argument for name in self.learn],
            "per_feature": self.per_feature,
            "ports": list(self.ports),
            "output": list(self.output) if self.several else self.output[0],
            "surrogate": self.surrogate,
            "learn_surrogate": self.learn_surrogate,
            "detach_reset": self.detach_reset,
            "initializers": {a: keras.initializers.serialize(i) for a, i in self.initializers.items()},
            "regularizers": {a: keras.regularizers.serialize(r) for a, r in self.regularizers.items()},
            "ranges": {a: [plain(end) for end in ends] for a, ends in self.ranges.items()},
            "substeps": self.substeps,
            "noise": self.noise,
            "gain": self.gain,
        }

    def feedback(self, recurrent: bool | str) -> str | None:
        """The port that a neuron's own layer reaches: the one named, else the first for events, else the main one."""
        if not recurrent:
            return None
        if not SPIKING:
            raise LayerError("recurrent: this model never spikes")
        return one_of("recurrent", recurrent, PORTS) if isinstance(recurrent, str) else (*EVENT_PORTS, *self.ports)[0]

    def numbers(self) -> dict[str, Any]:
        """The bind values, computed in float64 and rounded once."""
        with np.errstate(all="ignore"):
            found = bind(np, np.float64(self.h), self.values)
        for name, value in found.items():
            if np.any(np.isnan(np.asarray(value, dtype=np.float64))):
                raise LayerError(f"with these parameters the constant {name} is not a number")
        return {name: number(value) for name, value in found.items()}


def number(value: Any) -> Any:
    """A bind value in the step's number types."""
    a = np.asarray(value)
    return (a.astype(REAL) if a.dtype.kind == "f" else a.astype(np.int32) if a.dtype.kind in "iu" else a)[()]


class Within(keras.constraints.Constraint):
    """Keeps a weight in its range, off an end that does not belong to it."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, w: Any) -> Any:
        return ops.clip(w, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


def narrowed(row: Parameter, ends: Any) -> Parameter:
    """The parameter with a range of (low, high) inside its own; None leaves an end where it is."""
    if not (isinstance(ends, (tuple, list)) and len(ends) == 2):
        raise LayerError(f"ranges: {row.argument} takes (low, high), not {ends!r}")
    what = f"ranges: {row.argument}"
    low, high = (default if end is None else float(quantity(end, row.units, what)) for end, default in zip(ends, (row.low, row.high), strict=True))
    if not (row.low <= low < high <= row.high):
        bounds = f"[{row.low / row.scale:g}, {row.high / row.scale:g}] {row.unit}"
        raise LayerError(f"{what} in {list(ends)!r} is not inside its own range {bounds}")
    return row._replace(
        low=low, high=high, low_closed=row.low_closed or low > row.low, high_closed=row.high_closed or high < row.high
    )


def constraint(row: Parameter, start: Any) -> Within | None:
    """The range of a parameter in its unit; from an open end a thousandth of the way to the start is kept clear."""
    if row.low == -INF and row.high == INF:
        return None
    low, high = row.low / row.scale, row.high / row.scale
    nearest, farthest = float(np.min(start)), float(np.max(start))
    if not row.low_closed and low > -INF:
        low += 1e-3 * (nearest - low)
    if not row.high_closed and high < INF:
        high -= 1e-3 * (high - farthest)
    return Within(low, high)


# --- Keras

FUSED: Any = None
"""Runs all steps of a layer at once; birc sets it where it finds a compiler. Without it, a loop over time gives the same."""


class Start(keras.initializers.Initializer):
    """A parameter's own value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype=dtype) + ops.cast(self.value, dtype)


class Held:
    """The bind values of the call that is under way, so that a loop over time computes them once."""

    numbers: Mapping[str, Any] | None = None


@keras.saving.register_keras_serializable("birc", f"LIFUnitCell_{PROGRAM}")
class LIFUnitCell(keras.layers.Layer):
    """One step of `units` neurons, for `keras.layers.RNN`.

    Its input [batch, columns * units] holds the ports one after the other, in their units, then the model's noises of each substep. Options
    as those of `LIFUnit`, of which `gain` acts on what the cell feeds back to itself.
    """

    def __init__(
        self,
        units: int,
        *,
        recurrent: bool | str = False,
        recurrent_initializer: Any = "orthogonal",
        recurrent_regularizer: Any = None,
        **options: Any,
    ) -> None:
        settings = Settings.take(options)
        super().__init__(**{"dtype": REAL, **options})
        self.settings, self.units, self.held = settings, int(units), Held()
        self.recurrent, self.feedback = recurrent, settings.feedback(recurrent)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.state_size = [self.units] * (len(SLOTS) + bool(self.feedback))
        self.output_size = self.units * len(self.settings.output)

    def build(self, input_shape: Any) -> None:
        settings = self.settings
        self.learned = {}
        for name in settings.learn:
            row = PARAMETERS[name]
            start = np.asarray(settings.values[name]) / row.scale
            shape = (self.units,) if settings.per_feature or start.ndim else ()
            self.learned[row.argument] = self.add_weight(
                name=row.argument,
                shape=shape,
                initializer=settings.initializers.get(row.argument, Start(start)),
                regularizer=settings.regularizers.get(row.argument),
                constraint=constraint(settings.rows[name], start),
            )
        if self.feedback:
            self.recurrent_kernel = self.add_weight(
                name="recurrent_kernel",
                shape=(self.units, self.units),
                initializer=self.recurrent_initializer,
                regularizer=self.recurrent_regularizer,
            )
        self.surrogate_slope, self.surrogate_learned = None, {}
        if SPIKING:
            self.surrogate_slope = self.add_weight(name="surrogate_slope", shape=(), initializer="ones", trainable=False)
        if settings.learn_surrogate:
            argument, _ = SLOPES[settings.spike.name]
            start = settings.spike.arguments.get(argument, signature(surrogate_of(settings.spike.name)).parameters[argument].default)
            self.surrogate_learned[argument] = self.add_weight(
                name=f"surrogate_{argument}",
                shape=(),
                initializer=Start(start),
                constraint=Within(1e-3 * start, INF),
            )
        self.fixed = Held()
        self.fixed.numbers = settings.numbers()
        self.built = True

    def numbers(self) -> Mapping[str, Any]:
        """The bind values; in the graph those that depend on a learned parameter, else numbers."""
        fixed = self.fixed.numbers
        if keras.backend.backend() == "torch":  # whose tensors do not take part in what NumPy computes
            fixed = {name: ops.convert_to_tensor(value) for name, value in fixed.items()}
        if not self.learned:
            return fixed
        p = {name: ops.convert_to_tensor(np.asarray(self.settings.values[name], REAL)) for name in PARAMETERS}
        for name in self.settings.learn:
            row = PARAMETERS[name]
            p[name] = ops.convert_to_tensor(self.learned[row.argument]) * row.scale
        found = bind(ops, ops.convert_to_tensor(np.asarray(self.settings.h, REAL)), p)
        return {name: found[name] if set(of) & set(self.settings.learn) else fixed[name] for name, of in NEEDS.items()}

    def spike(self) -> Spike:
        """The spike with the weights of its surrogate."""
        if self.surrogate_slope is None:
            return self.settings.spike
        learned = {name: ops.convert_to_tensor(weight) for name, weight in self.surrogate_learned.items()}
        return self.settings.spike.seen(ops.convert_to_tensor(self.surrogate_slope), learned)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state at stamp 0."""
        numbers = self.held.numbers or self.numbers()
        zeros = ops.zeros((batch_size, self.units), dtype=REAL)
        states = [zeros + ops.cast(numbers[init], REAL) for _, init, _ in SLOTS.values()]
        return [*states, zeros] if self.feedback else states

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, list[Any]]:
        settings = self.settings
        columns = ops.split(inputs, len(settings.ports) + len(DRAWS) * settings.substeps, axis=-1)
        arrived = {name: x * PORTS[name] if PORTS[name] != 1 else x for name, x in zip(settings.ports, columns, strict=False)}
        if self.feedback:
            back = ops.matmul(states[-1], self.recurrent_kernel) * (PORTS[self.feedback] * settings.gain)
            arrived[self.feedback] = arrived[self.feedback] + back if self.feedback in arrived else back
        state = {name: _stored(value, kind) for (name, (kind, _, _)), value in zip(SLOTS.items(), states, strict=False)}
        inputs_now = {name: arrived.get(name, 0.0) for name in PORTS if name not in EVENT_PORTS}
        bound = self.held.numbers or self.numbers()
        spike, z = self.spike(), None
        for k in range(settings.substeps):
            events = {name: _events(name, arrived.get(name) if k == settings.substeps - 1 else None) for name in EVENT_PORTS}
            draws = dict(zip(DRAWS, columns[len(settings.ports) + k * len(DRAWS) :], strict=False))
            after, _, fired, outputs = step(bound, state, inputs_now, events, draws, spike)
            state = {**state, **after}
            z = fired if z is None else z + fired
        like = ops.zeros_like(states[0] if states else columns[0])
        news = [ops.cast(state[name], REAL) + like for name in SLOTS]
        seen = {"spikes": z} | {n: v / SLOTS[n][2] for n, v in zip(SLOTS, news, strict=True)} | {n: v / OUTPUTS[n] for n, v in outputs.items()}
        out = [ops.cast(seen[name], REAL) + like for name in settings.output]
        return (out[0] if len(out) == 1 else ops.concatenate(out, axis=-1)), [*news, z + like] if self.feedback else news

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "recurrent": self.recurrent,
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            **self.settings.config(),
        }


def _stored(value: Any, kind: str) -> Any:
    """A slot from the loop's state, which is real throughout."""
    return value if kind == "real" else ops.cast(value, "int32") if kind == "int" else value > 0.5


def _events(port: str, arrived: Any) -> Any:
    """What `step` takes for an event port: a sum, or one round of events, which are where the input is not 0."""
    if port in SUMMING:
        return 0.0 if arrived is None else arrived
    return [] if arrived is None else [(arrived != 0, arrived)]


@keras.saving.register_keras_serializable("birc", f"LIFUnit_{PROGRAM}")
class LIFUnit(keras.layers.Layer):
    """Leaky integrate-and-fire neuron in units of its threshold.

    Input [batch, time, features]: row k acts in the step from stamp k to k+1. With `units` the layer owns a kernel from features to
    neurons; without, each feature drives one neuron. Output [batch, time, neurons], row k being stamp k+1.

    dt: the length of a step ("1 ms", or a number of ms). ports: which ports the input feeds, by default `I`;
    of several, a list of inputs. Ports: I (1), syn (1; events, the sum of what arrives at stamp k+1).
    output: "spikes", a state by name, in its unit, or a list of them. recurrent: feed the spikes back, one step later, through a
    kernel of their own (True, or the port that they reach). surrogate: "fast_sigmoid", "triangular", "arctan", "sigmoid", "gaussian", "multi_gaussian", "straight_through",
    by default "fast_sigmoid"; or with arguments, {"name": "fast_sigmoid", "beta": 10, "scale": 1.0}, scale being the margin that it sees as 1.
    fused: all steps at once by a kernel in C++, where birc is there to build it. detach_reset: no derivative through the reset.
    learn: parameters that become weights, in their units, kept in their ranges; per_feature: one for each neuron; ranges: narrower ones, by
    name, as (low, high). stateful: the state lasts from call to call, until `reset_state()`. gain: what drives a port per unit of the
    input, bias included. substeps: each row is computed in so many steps of dt / substeps, its events in the last; spikes are counted over
    the row. noise: False leaves out the model's noise.
    initializers, regularizers: of learned parameters, by name. preset: no_refractory.

    Parameters (numbers in the unit named, or text such as "20 ms"; a list is one value per neuron):
        tau_m: ms
        R: 1
        v_th: 1
        v_reset: 1
        t_ref: ms
    """

    def __init__(
        self,
        units: int | None = None,
        *,
        use_bias: bool = False,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        recurrent: bool | str = False,
        recurrent_initializer: Any = "orthogonal",
        recurrent_regularizer: Any = None,
        return_sequences: bool = True,
        return_state: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        fused: bool = True,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        settings = Settings.take(options)
        super().__init__(**options)
        settings.feedback(recurrent)
        self.settings, self.units, self.use_bias, self.recurrent, self.seed = settings, units, use_bias, recurrent, seed
        self.fused = bool(fused)
        if self._at_once and keras.backend.backend() == "tensorflow":
            self.supports_jit = False
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.return_sequences, self.return_state, self.stateful, self.unroll = return_sequences, return_state, stateful, unroll
        self.supports_masking = True
        self.random = keras.random.SeedGenerator(seed) if DRAWS else None

    @property
    def cell(self) -> LIFUnitCell:
        """The layer's cell, once it is built; `keras.layers.RNN` takes it too."""
        return self.loop.cell

    def _by_port(self, given: Any) -> list[Any]:
        """What is given for each port: one thing, a list, or by name."""
        ports = self.settings.ports
        if isinstance(given, Mapping):
            given = [given[port] for port in ports]
        several = isinstance(given, (list, tuple)) and not isinstance(given[0], (int, type(None)))
        found = list(given) if several else [given]
        if len(found) != len(ports):
            raise LayerError(f"{len(found)} inputs for {len(ports)} ports ({', '.join(ports)})")
        return found

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shapes = self._by_port(sequences_shape)
        neurons = int(self.units or shapes[0][-1])
        self.kernels, self.biases = [], []
        for port, shape in zip(self.settings.ports, shapes, strict=True):
            suffix = "" if len(shapes) == 1 else f"_{port}"
            if self.units is None and shape[-1] != neurons:
                raise LayerError(f"port {port} has {shape[-1]} features for {neurons} neurons; with units=N it gets a kernel")
            if self.units is not None:
                self.kernels.append(
                    self.add_weight(
                        name=f"kernel{suffix}",
                        shape=(shape[-1], neurons),
                        initializer=self.kernel_initializer,
                        regularizer=self.kernel_regularizer,
                    )
                )
            if self.units is not None and self.use_bias:
                self.biases.append(self.add_weight(name=f"bias{suffix}", shape=(neurons,), initializer="zeros"))
        cell = LIFUnitCell(
            neurons,
            recurrent=self.recurrent,
            recurrent_initializer=self.recurrent_initializer,
            recurrent_regularizer=self.recurrent_regularizer,
            name="cell",
            **self.settings.config(),
        )
        self.loop = keras.layers.RNN(
            cell,
            return_sequences=self.return_sequences,
            return_state=True,
            stateful=self.stateful,
            unroll=self.unroll,
            zero_output_for_mask=True,
            dtype=REAL,
            name="loop",
        )
        self.loop.build((*shapes[0][:2], neurons * (len(shapes) + len(DRAWS) * self.settings.substeps)))
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        columns = []
        for i, x in enumerate(self._by_port(sequences)):
            if self.kernels:
                x = ops.matmul(x, self.kernels[i])
            if self.biases:
                x = x + self.biases[i]
            columns.append(ops.cast(x, REAL) * self.settings.gain if self.settings.gain != 1 else ops.cast(x, REAL))
        columns += self._draws(ops.shape(columns[0]))
        masks = [m for m in keras.tree.flatten(mask) if m is not None]
        together = masks[0] if masks else None
        for m in masks[1:]:
            together = ops.logical_and(together, m)
        held = self.cell.held
        held.numbers = self.cell.numbers()
        try:
            if self._at_once and together is None and FUSED.sees(columns[0]):
                parts, states = self._all_steps(columns, initial_state)
            else:
                out, *states = self.loop(ops.concatenate(columns, axis=-1), initial_state=initial_state, mask=together)
                parts = ops.split(out, len(self.settings.output), axis=-1)
        finally:
            held.numbers = None
        parts = [ops.cast(part, self.compute_dtype) for part in parts]
        outputs = parts if self.settings.several else parts[:1]
        if self.return_state:
            return (*outputs, *states)
        return outputs if self.settings.several else outputs[0]

    def _draws(self, shape: Any) -> list[Any]:
        """Normal numbers for each noise of each substep, or zeros without noise."""
        count = len(DRAWS) * self.settings.substeps
        if not self.settings.noise:
            return [ops.zeros(shape, dtype=REAL)] * count
        return [keras.random.normal(shape, dtype=REAL, seed=self.random) for _ in range(count)]

    @property
    def _at_once(self) -> bool:
        """Whether `FUSED` takes the place of the loop over time."""
        return FUSED is not None and self.fused and not self.recurrent and FUSED.fits(self.settings)

    def _all_steps(self, columns: list[Any], initial_state: Any) -> tuple[list[Any], list[Any]]:
        """The outputs and the last states, without the loop."""
        batch = ops.shape(columns[0])[0]
        kept = self.loop.states if self.stateful else None
        states = keras.tree.flatten(initial_state) if initial_state is not None else kept or self.get_initial_state(batch)
        arrived = {p: x * PORTS[p] if PORTS[p] != 1 else x for p, x in zip(self.settings.ports, columns, strict=True)}
        arrived = {p: self._fine(x, p in EVENT_PORTS) for p, x in arrived.items()}
        found, last = FUSED(self.cell, arrived, [ops.convert_to_tensor(s) for s in states])
        seen = {name: self._coarse(x, name == "spikes") for name, x in found.items()}
        for variable, value in zip(kept or (), last, strict=bool(kept)):
            variable.assign(value)
        scales = {name: scale for name, (_, _, scale) in SLOTS.items()} | dict(OUTPUTS)
        parts = [seen[name] / scales[name] if scales.get(name, 1) != 1 else seen[name] for name in self.settings.output]
        return (parts if self.return_sequences else [part[:, -1] for part in parts]), last

    def _fine(self, x: Any, events: bool) -> Any:
        """A row for each substep: a current in all of a row's, events in the last."""
        parts = self.settings.substeps
        if parts == 1 or not events:
            return x if parts == 1 else ops.repeat(x, parts, axis=1)
        padded = ops.pad(ops.expand_dims(x, 2), ((0, 0), (0, 0), (parts - 1, 0), (0, 0)))
        return ops.reshape(padded, (ops.shape(x)[0], -1, x.shape[-1]))

    def _coarse(self, x: Any, spikes: bool) -> Any:
        """Back to the input's rows: spikes are counted, anything else is as it is behind the last substep."""
        parts = self.settings.substeps
        if parts == 1 or not spikes:
            return x if parts == 1 else x[:, parts - 1 :: parts]
        return ops.sum(ops.reshape(x, (ops.shape(x)[0], -1, parts, x.shape[-1])), axis=2)

    def compute_mask(self, sequences: Any, previous_mask: Any = None) -> Any:
        masks = [m for m in keras.tree.flatten(previous_mask) if m is not None]
        own = masks[0] if masks and self.return_sequences else None
        if not self.settings.several and not self.return_state:
            return own
        return [own] * len(self.settings.output) + [None] * (len(self.cell.state_size) if self.return_state else 0)

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states at stamp 0, as `initial_state` takes them."""
        return self.cell.get_initial_state(batch_size)

    def reset_state(self) -> None:
        """Back to stamp 0, of a layer that is stateful."""
        if self.built and self.loop.states:
            batch = self.loop.states[0].shape[0]
            for variable, value in zip(self.loop.states, self.get_initial_state(batch), strict=True):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent": self.recurrent,
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "fused": self.fused,
            "seed": self.seed,
            **self.settings.config(),
        }
