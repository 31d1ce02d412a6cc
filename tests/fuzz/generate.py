"""Random neuron models in the language: well-typed, using most of its statements, and built to stay finite.

Right-hand sides decay towards bounded targets, so most models run for hundreds of steps; the same seed gives the same text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

NAMES = (
    "v", "u", "w", "x", "y", "z", "r", "q", "s_1", "g_e", "b_long_name", "lambda", "int", "double", "class", "np", "auto", "def", "n", "h",
    "dt", "t", "void", "k", "real", "self", "i", "alpha", "beta", "e", "pre", "axon", "None", "state_", "exp_", "fired", "busy", "bind",
)  # fmt: skip
"""Some are keywords of a target, or what a target's own text calls something."""

UNITS = ("mV", "pA", "nS", "1")
SIZES = {"mV": 20.0, "pA": 150.0, "nS": 8.0, "1": 1.0}
"""What is usual of a quantity."""

RATIOS = {("mV", "pA"): "Gohm", ("pA", "mV"): "nS", ("mV", "nS"): "mV/nS", ("nS", "mV"): "nS/mV", ("pA", "nS"): "mV", ("nS", "pA"): "mV^-1"}
"""The unit of k in `k * y`, by the units of the result and of y, where neither is 1."""

UNARY = ("sin({})", "cos({})", "tanh({})", "sigmoid({})", "abs({})", "floor({})", "heaviside({})", "exp(-abs({}))", "exp(min({}, 2))",
         "log(1 + abs({}))", "log1p(abs({}))", "sqrt(abs({}))", "tan(tanh({}))", "sinh(tanh({}))", "cosh(tanh({}))",
         "exprel(-abs({}))", "exprel(tanh({}))", "expm1(min({}, 2))", "tanh({})^2", "(1 + abs({}))^0.5", "-{}")  # fmt: skip

BINARY = ("({} + {})", "({} - {})", "({} * {})", "min({}, {})", "max({}, {})", "({} / (1 + abs({})))", "abs({})^sigmoid({})")

COMPARE = ("<", "<=", ">", ">=", "==", "!=")


@dataclass
class _Generator:
    random: Random
    names: list[str]
    scope: dict[str, str] = field(default_factory=dict)
    """The unit of each name that an expression may use."""
    functions: list[tuple[str, str]] = field(default_factory=list)
    """Name and unit of the parameter of each function, dimensionless to dimensionless but for its argument."""
    lines: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)

    def maybe(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self, unit: str | None = None) -> str:
        """A new name; with a unit, one that expressions may use from now on."""
        name = self.names.pop()
        if unit is not None:
            self.scope[name] = unit
        return name

    def number(self, low: float, high: float) -> str:
        text = f"{self.random.uniform(low, high):.3g}"
        return f"({text})" if text.startswith("-") else text

    def literal(self, unit: str, low: float = -1.0, high: float = 1.0) -> str:
        """A quantity; `low` and `high` are in usual sizes."""
        text = f"{self.random.uniform(low, high) * SIZES[unit]:.3g}"
        text = text if unit == "1" else f"{text} {unit}"
        return f"({text})" if text.startswith("-") else text

    def of_unit(self, unit: str) -> list[str]:
        return [name for name, theirs in self.scope.items() if theirs == unit]

    # --- expressions

    def pure(self, depth: int) -> str:
        """A dimensionless expression, of size about 1."""
        if depth <= 0 or self.maybe(0.15):
            return self.small()
        kind = self.random.random()
        if kind < 0.45:
            return self.random.choice(UNARY).format(self.pure(depth - 1))
        if kind < 0.8:
            return self.random.choice(BINARY).format(self.pure(depth - 1), self.pure(depth - 1))
        if kind < 0.9 and self.functions:
            name, unit = self.random.choice(self.functions)
            return f"{name}({self.quantity(unit, depth - 1)})"
        return f"(if {self.condition(depth - 1)} then {self.pure(depth - 1)} else {self.pure(depth - 1)})"

    def small(self) -> str:
        """A leaf, dimensionless."""
        unit = self.random.choice(UNITS)
        names = self.of_unit(unit)
        if not names or self.maybe(0.2):
            return self.number(-2, 2)
        name = self.random.choice(names)
        if unit == "1":
            return name
        return (
            f"(({name} - {self.literal(unit)}) / {self.literal(unit, 0.2, 1.0)})"
            if self.maybe(0.5)
            else f"({name} / {self.literal(unit, 0.5, 2)})"
        )

    def quantity(self, unit: str, depth: int) -> str:
        """An expression of a unit, of about its usual size."""
        names = self.of_unit(unit)
        if names and self.maybe(0.4):
            return self.random.choice(names)
        if depth <= 0:
            return self.literal(unit)
        if unit == "1":
            return self.pure(depth)
        if self.maybe(0.2):
            a, b = self.quantity(unit, depth - 1), self.quantity(unit, depth - 1)
            return self.random.choice(("({} + {})", "({} - {})", "min({}, {})", "max({}, {})")).format(a, b)
        if self.maybe(0.15):
            return f"(if {self.condition(depth - 1)} then {self.quantity(unit, depth - 1)} else {self.quantity(unit, depth - 1)})"
        return f"{self.literal(unit)} * {self.pure(depth - 1)}"

    def bounded(self, unit: str, depth: int) -> str:
        """An expression of a unit that stays within its usual size, whatever the states do."""
        squashed = self.random.choice(("tanh({})", "sigmoid({})", "sin({})", "min(max({}, -1), 1)")).format(self.pure(depth))
        return squashed if unit == "1" else f"{self.literal(unit, 0.2, 1.0)} * {squashed}"

    def condition(self, depth: int) -> str:
        kind = self.random.random()
        if depth > 0 and kind < 0.2:
            return f"(({self.condition(depth - 1)}) {self.random.choice(('and', 'or'))} ({self.condition(depth - 1)}))"
        if depth > 0 and kind < 0.3:
            return f"not ({self.condition(depth - 1)})"
        if kind < 0.33:
            return self.random.choice(("true", "false"))
        unit = self.random.choice(UNITS)
        return f"{self.quantity(unit, depth - 1)} {self.random.choice(COMPARE)} {self.quantity(unit, depth - 1)}"

    # --- statements

    def add(self, line: str, *body: str) -> None:
        self.lines.append(f"    {line}")
        self.lines.extend(f"        {inner}" for inner in body)

    def param(self, unit: str, low: float, high: float, usual: str = "") -> str:
        """A parameter of a unit (of `usual` size); its name."""
        value = f"{self.random.uniform(low, high):.3g}"
        name = self.fresh(usual or None)
        text = value if unit == "1" else f"{value} {unit}"
        limits = ""
        if low > 0 and self.maybe(0.5):
            limits = " in (0, inf)" if unit == "1" else f" in (0 {unit}, inf)"
        self.add(f"param {name} = {text}{limits}{' learn' if self.maybe(0.1) else ''}")
        return name

    def declare_state(self, unit: str, clip: bool = True) -> str:
        name = self.fresh(unit)
        limits = ""
        if clip and self.maybe(0.25):
            low, high = self.literal(unit, -2.0, -0.3).strip("()"), self.literal(unit, 0.3, 2.0)
            zero = "0" if unit == "1" else f"0 {unit}"
            limits = f" in [{self.random.choice((low, zero))}, {self.random.choice((high, 'inf'))}]"
            self.add(f"state {name} = {zero}{limits}")
        else:
            initial = self.literal(unit).strip("()")
            others = [s for s, theirs in self.states.items() if theirs == unit]
            if others and self.maybe(0.2):
                initial = f"{self.number(-1, 1)} * {self.random.choice(others)}"
            self.add(f"state {name} = {initial}")
        self.states[name] = unit
        return name

    def term(self, unit: str, other: str) -> str:
        """`k * other`, of a unit, of about the usual size."""
        theirs = self.scope[other]
        if theirs == unit:
            return f"{self.number(-0.5, 0.5)} * {other}"
        size = self.random.uniform(-0.5, 0.5) * SIZES[unit] / SIZES[theirs]
        text = f"{abs(size):.3g}"
        ratio = unit if theirs == "1" else f"{theirs}^-1" if unit == "1" else RATIOS[unit, theirs]
        return f"{'(-1) * ' if size < 0 else ''}{text} {ratio} * {other}"

    def equation(self, state: str, noise: str | None) -> None:
        """One ODE of a kind drawn at random, from constant linear to stiff nonlinear."""
        unit, tau = self.states[state], self.param("ms", 2.0, 60.0)
        kind = self.random.choice(("linear", "linear", "linear", "affine", "nonlinear", "nonlinear", "sum"))
        drive = "" if noise is None else f" + {self.literal(unit, 0.05, 0.3)} * sqrt({tau}) * {noise}"
        if kind == "linear":
            others = self.random.sample(sorted(self.states), min(len(self.states), self.random.randint(0, 2)))
            terms = [self.term(unit, other) for other in others if other != state]
            terms += [self.random.choice(self.of_unit(unit))] if self.maybe(0.3) else []
            terms += [self.literal(unit, -1.5, 1.5)] if self.maybe(0.6) else []
            right = " + ".join([f"-{state}", *terms])
            product = noise is not None or self.maybe(0.8)
            self.add(f"{tau} * {state}' = {right}{drive}" if product else f"{state}' = ({right}) / {tau}")
        elif kind == "affine":
            rate = f"(1 + {self.random.choice(('sigmoid', 'abs', 'exp(-1) * heaviside'))}({self.unread(state)}))"
            self.add(f"{tau} * {state}' = {self.bounded_without(state, unit)} - {rate} * {state}{drive}")
        elif kind == "nonlinear":
            self.add(f"{tau} * {state}' = -{state} + {self.bounded(unit, 3)}{drive}")
        else:
            self.add(
                f"{tau} * {state}' = {self.bounded(unit, 2)} - {state} - {self.bounded(unit, 2)} + {self.quantity(unit, 0)} * 0.1{drive}"
            )

    def unread(self, state: str) -> str:
        """A dimensionless expression that does not read a state."""
        return self._without(state, lambda: self.pure(1))

    def bounded_without(self, state: str, unit: str) -> str:
        """A bounded expression that does not read a state."""
        return self._without(state, lambda: self.bounded(unit, 1))

    def _without(self, state: str, make: object) -> str:
        unit = self.scope.pop(state)
        text: str = make()  # type: ignore[operator]
        self.scope[state] = unit
        return text

    def gate(self, voltage: str) -> None:
        name = self.fresh()
        half, width = self.literal("mV", -1.0, 1.0), f"{self.random.uniform(3, 12):.3g} mV"
        away = f"({voltage} - {half})"
        if self.maybe(0.5):
            alpha = self.random.choice(
                (f"0.1 ms^-1 * exp(-abs({away}) / {width})", f"0.3 ms^-1 * ({away} / {width}) / (1 - exp(-{away} / {width}))")
            )
            self.add(f"gate {name}:", f"alpha = {alpha}", f"beta = 0.2 ms^-1 * sigmoid(-{away} / {width})")
        else:
            tau = f"{self.random.uniform(1, 9):.3g} ms + {self.random.uniform(1, 9):.3g} ms * exp(-abs({away}) / {width})"
            self.add(f"gate {name}:", f"inf = sigmoid({away} / {width})", f"tau = {tau}")
        self.scope[name] = "1"

    def handler(self) -> None:
        """An event port: summing, or not in one of several ways."""
        target = self.random.choice(sorted(self.states))
        unit = self.states[target]
        payload_unit = unit if self.maybe(0.7) else "1"
        port, payload = self.fresh(), self.fresh()
        size = payload if payload_unit == unit else f"{self.literal(unit, 0.1, 0.5)} * {payload}"
        kind = self.random.choice(("summing", "summing", "saturating", "several", "free"))
        if kind == "summing":
            body = [f"{target} {self.random.choice(('+=', '-='))} {self.number(0.1, 1)} * {size}"]
            others = [s for s in sorted(self.states) if s != target and self.states[s] == payload_unit]
            body += [f"{self.random.choice(others)} += {payload}"] if others and self.maybe(0.4) else []
        elif kind == "saturating":
            body = [f"{target} += {size} * (1 - tanh({target} / {self.literal(unit, 0.5, 1)}))"]
        elif kind == "several":
            other = self.random.choice(sorted(self.states))
            body = [f"{target} = max({target}, {size})", f"{other} *= {self.number(0.1, 0.9)}", f"{target} -= 0.1 * {size}"]
        else:
            self.scope[payload] = payload_unit
            other = self.random.choice(sorted(self.states))
            body = [f"{other} = {self.bounded(self.states[other], 2)}"]
            del self.scope[payload]
        self.add(f"on {port}({payload}: {payload_unit}):", *body)

    def spike(self, main: str) -> None:
        """A threshold on the main state, and what follows from it."""
        unit = self.states[main]
        threshold = self.param(unit, 0.3 * SIZES[unit], 0.8 * SIZES[unit], unit)
        mode = self.random.choice(("when", "when", "on rise"))
        condition = f"{main} {self.random.choice(('>=', '>'))} {threshold}"
        if self.maybe(0.3):
            condition += f" + {self.bounded(unit, 1)} * 0.2"
        if self.maybe(0.15):
            condition = f"({condition}) {self.random.choice(('and', 'or'))} {self.condition(0)}"
        body = []
        if mode == "when" or self.maybe(0.5):
            body.append(self.random.choice((f"{main} = {self.literal(unit, -1, 0.2)}", f"{main} -= {threshold}")))
        for state in sorted(self.states):
            if state != main and self.maybe(0.3):
                change = self.random.choice(("+= {}", "-= {}", "= {}")).format(self.bounded(self.states[state], 1))
                body.append(f"{state} {change}" if self.maybe(0.8) else f"{state} *= {self.number(0, 1)}")
        self.random.shuffle(body)
        self.add(f"spike {mode} {condition}{':' if body else ''}", *body)
        if self.maybe(0.6):
            duration = self.random.choice(("0 ms", "0.1 ms", "0.25 ms", "1 ms", "2.5 ms", self.param("ms", 0.1, 6.0)))
            held = [s for s in sorted(self.states) if self.maybe(0.4)]
            self.add(f"refractory {duration}" + (f": hold {', '.join(held)}" if held else ""))

    def second_order(self) -> None:
        name = self.fresh("1")
        self.states[name] = "1"
        self.add(f"state {name} = {self.literal('1').strip('()')}, {name}' = 0 ms^-1")
        rate, damping = self.param("ms^-1", 0.05, 0.6), self.number(0.05, 1.2)
        drive = self.random.choice((self.bounded("1", 2), self.literal("1")))
        self.add(f"{name}'' = {rate}^2 * ({drive} - {name}) - 2 * {damping} * {rate} * {name}'")

    def runaway(self) -> None:
        """A quadratic or exponential rise that the threshold ends."""
        name = self.fresh("mV")
        self.states[name] = "mV"
        self.add(f"state {name} = -65 mV")
        rise = self.random.choice(
            (
                f"0.04 mV^-1 * ({name} + 60 mV) * ({name} + 42 mV)",
                f"-({name} + 65 mV) + 2 mV * exp(({name} + 50 mV) / 2 mV)",
            )
        )
        drive = self.random.choice((self.literal("mV", 0.5, 2), self.bounded("mV", 2)))
        self.add(f"{self.param('ms', 1.0, 12.0)} * {name}' = {rise} + {drive}")
        self.add(
            f"spike {self.random.choice(('when', 'when', 'on rise'))} {name} >= {self.random.choice(('-30 mV', '20 mV'))}:",
            f"{name} = -68 mV",
        )
        if self.maybe(0.5):
            self.add(f"refractory {self.random.choice(('0 ms', '1 ms', '2 ms'))}" + (f": hold {name}" if self.maybe(0.6) else ""))


def random_model(seed: int) -> str:
    """The text of one neuron (and perhaps a channel that it uses)."""
    random = Random(seed)
    names = list(NAMES)
    random.shuffle(names)
    g = _Generator(random, names)
    runaway = g.maybe(0.15)
    channel = g.maybe(0.2)
    inputs = []
    for _ in range(random.randint(0, 2)):
        unit = random.choice(UNITS)
        inputs.append(g.fresh(unit))
        g.add(f"input {inputs[-1]}: {unit}")
    for _ in range(random.randint(0, 2)):
        unit = random.choice(UNITS)
        g.param(unit, -SIZES[unit], SIZES[unit], unit)
    main_unit = "mV" if channel or g.maybe(0.7) else random.choice(UNITS)
    main = "v" if channel and "v" in g.names else ""
    if main:
        g.names.remove(main)
        g.names.append(main)
    main = g.declare_state(main_unit, clip=False)
    for _ in range(random.randint(0, 3)):
        g.declare_state(random.choice(UNITS))
    if g.maybe(0.4):
        g.gate(main if main_unit == "mV" else f"20 mV * ({main} / {g.literal(main_unit, 0.8, 1)})")
    for _ in range(random.choice((0, 0, 1, 2))):
        name, unit, argument = g.fresh(), random.choice(UNITS), g.fresh()
        scope, g.scope = g.scope, {argument: unit}
        g.add(f"fn {name}({argument}: {unit}) = {g.pure(2)}")
        g.scope = scope
        g.functions.append((name, unit))
    for _ in range(random.choice((0, 0, 1, 2))):
        unit = random.choice(UNITS)
        text = g.quantity(unit, 3)
        g.add(f"let {g.fresh(unit)} = {text}")
    noise = g.fresh() if g.maybe(0.15) else None
    if noise:
        g.add(f"noise {noise}")
    if g.maybe(0.2):
        g.second_order()
    if runaway:
        g.runaway()
    equations = [s for s, _ in g.states.items() if not any(f" {s}'" in line or f" {s}' =" in line for line in g.lines)]
    for state in equations:
        if state == main or g.maybe(0.75):
            g.equation(state, noise if noise and (state == main or g.maybe(0.3)) else None)
        elif g.states[state] == "1" and g.maybe(0.5):
            g.add(f"step {state} = {g.bounded('1', 2)}")
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        g.handler()
    if not runaway and g.maybe(0.85):
        g.spike(main)
    if g.maybe(0.3):
        unit = random.choice(UNITS)
        g.add(f"output {g.fresh()}: {unit} = {g.quantity(unit, 2)}")
    if g.maybe(0.25):
        g.add(f"with solver {random.choice(('heun', 'rk4', 'euler', 'rosenbrock', 'implicit_euler'))}")
    text = f"neuron {random.choice(('Fuzzed', 'Model', 'step_', 'main', 'n'))}:\n" + "\n".join(g.lines) + "\n"
    return _with_channel(g, main, text) if channel else text


def _with_channel(g: _Generator, main: str, text: str) -> str:
    """The same neuron with a channel in the equation of `v`."""
    channel = (
        "channel Pore:\n    param g = 0.4, E = -30 mV\n"
        "    gate m: inf = sigmoid((v + 10 mV) / 6 mV)\n            tau = 2 ms + 3 ms * exp(-abs(v + 10 mV) / 12 mV)\n"
        f"    outward i = g * m^{g.random.randint(1, 4)} * (v - E)\n\n"
    )
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if main == "v" and f"* {main}' = " in line:
            left, _, right = line.partition(" = ")
            lines[at] = f"{left} = -pore.i + {right}"
            lines.insert(1, f"    use Pore(g = {g.number(0.1, 2)}) as pore")
            return channel + "\n".join(lines) + "\n"
    return text
