"""Random small networks in the language: every rule of wiring, delays of every kind, and synapses of every kind of plasticity.

They use only operations that all targets round alike, so that runs are compared to the bit. The same seed gives the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

MODELS = """
neuron Leaky:
    param tau = 10 ms in (0 ms, inf), v_th = 1, t_ref = 2 ms
    state v = 0, g = 0, u = 0
    input I: 1
    output o: 1 = 2 * v - u
    tau * v' = g - u - v + I
    5 ms * g' = -g
    8 ms * u' = -u
    on exc(w: 1): g += w
    on inh(w: 1): u += w
    spike when v >= v_th:
        v = 0
    refractory t_ref: hold v

neuron Steps:
    param v_th = 1.2
    state v = 0, n = 0 in [0, 3]
    input I: 1
    output o: 1 = v + n
    noise xi
    5 ms * v' = I - v + (0.05 ms)^0.5 * xi
    20 ms * n' = -n
    on exc(w: 1): v += w
    on pull(a: 1): v += a * (2 - v)
    on inh(w: 1): v -= w
    on drag(a: 1):
        n += a
        v -= 0.2 * n * a
    spike when v >= v_th:
        v -= v_th

neuron Fires:
    state v = 0
    output o: 1 = 0.5 * v
    input I: 1
    4 ms * v' = I - v
    on exc(w: 1): v += w
    on inh(w: 1): v -= 0.5 * w
    spike when v >= 0.4:
        v = 0

neuron Simple:
    param a = 0.02 ms^-1, d = 8
    state v = -65, u = -13 ms^-1
    input I: 1
    output o: 1 = (v + 65) / 50
    v' = 0.04 ms^-1 * v^2 + 5 ms^-1 * v + 140 ms^-1 - u + I * 10 ms^-1
    u' = a * (0.2 ms^-1 * v - u)
    on exc(w: 1): v += 8 * w
    on inh(w: 1): v -= 8 * w
    spike when v >= 30:
        v = -65
        u += d * 1 ms^-1

synapse Pair:
    param A_p = 0.2, A_m = 0.25, w_max = 1
    state w = 0.3 in [0, w_max]
    trace x of pre: tau = 20 ms
    trace y of post: tau = 15 ms
    on pre:
        w -= A_m * y
        send w
    on post:
        w += A_p * x

synapse Triplet:
    param A2 = 0.01, A3 = 0.03, tau_x = 12 ms
    state w = 0.3 in [0, inf]
    trace x of pre: tau = tau_x
    trace x_3 of pre: tau = 50 ms
    trace y of post: tau = 15 ms
    trace y_3 of post: tau = 60 ms
    on pre:
        w -= y * (A2 + A3 * x_3)
        send w
    on post:
        w += x * (A2 + A3 * y_3)

synapse Nearest:
    state w = 0.4, c = 0
    trace x of pre: tau = 20 ms, nearest
    trace y of post: tau = 15 ms, nearest
    30 ms * c' = -c
    on pre:
        c += 0.1 * y
        send w + c
        send 0.5 * w
    on post:
        w += 0.01 * x + 0.1 * c

synapse Depressing:
    param w = 0.8, U = 0.3, tau_rec = 80 ms
    state x = 1, u = 0
    tau_rec * x' = 1 - x
    50 ms * u' = -u
    on pre:
        u += U * (1 - u)
        send w * u * x
        x -= u * x

synapse Rewarded:
    param tau_c = 100 ms
    state w = 0.2 in [-1, 2], c = 0
    input DA: 1
    trace x of pre: tau = 20 ms
    trace y of post: tau = 15 ms
    tau_c * c' = -c
    step w = w + 0.01 * c * (DA - 0.1)
    on pre:
        c -= 0.3 * y
        send w
    on post:
        c += 0.5 * x + 0.01 * DA

synapse Noisy:
    state w = 0.3 in [0, 1], s = 0
    noise xi
    trace y of post: tau = 15 ms
    40 ms * s' = -s + (0.1 ms)^0.5 * xi
    on pre:
        w += 0.02 * s
        s *= 0.9
        send w * (1 + y)

synapse Homeostatic:
    state w = 0.3 in [0, 1], n = 0
    on pre: send w
    on post:
        n += 1
        w -= 0.002 * n
"""

NEURONS = {"Leaky": ("exc", "inh"), "Steps": ("exc", "pull", "inh", "drag"), "Fires": ("exc", "inh"), "Simple": ("exc", "inh")}
"""Ports of events; `pull` and `drag` act once per event."""
SYNAPSES = {
    "Pair": (("w", 0.0, 0.94), ("A_p", 0.0, 0.3), ("w_max", 0.95, 1.2)),
    "Triplet": (("w", 0.0, 0.9), ("tau_x", 8.0, 30.0)),
    "Nearest": (("w", 0.0, 0.6), ("c", 0.0, 0.2)),
    "Depressing": (("w", 0.2, 1.2), ("U", 0.1, 0.6), ("tau_rec", 20.0, 120.0)),
    "Rewarded": (("w", 0.0, 0.5), ("tau_c", 30.0, 150.0)),
    "Noisy": (("w", 0.0, 0.6), ("s", -0.2, 0.2)),
    "Homeostatic": (("w", 0.2, 0.9),),
}
"""What a projection may give each synapse, and between which ends."""
STEPS = ("0.1 ms", "0.25 ms", "0.5 ms", "1 ms")


@dataclass(frozen=True)
class Fuzzed:
    """A network: its text, the files (CSV) that it reads, and its step."""

    text: str
    files: Mapping[str, str]
    dt: str


@dataclass
class _Writer:
    random: Random
    most: int
    populations: dict[str, tuple[str, int]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    signals: list[str] = field(default_factory=list)
    joined: dict[tuple[str, str], bool] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def maybe(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, of: object) -> str:
        return self.random.choice(list(of))  # type: ignore[call-overload, no-any-return]

    def between(self, low: float, high: float) -> str:
        return f"{self.random.uniform(low, high):.3g}"

    def value(self, low: float, high: float, unit: str = "") -> str:
        """A number, or a draw for each cell or synapse."""
        unit = f" {unit}" if unit else ""
        kind = self.random.random()
        if kind < 0.4:
            return f"{self.between(low, high)}{unit}"
        if kind < 0.75:
            middle = self.random.uniform(low, high)
            return f"uniform({self.between(low, middle)}{unit}, {self.between(middle, high)}{unit})"
        return f"normal({self.between(low, high)}{unit}, {self.between(0, (high - low) / 3)}{unit})"

    def file(self, header: str, rows: Sequence[tuple[float, ...]]) -> str:
        name = f"file_{len(self.files)}.csv"
        lines = [header] if header else []
        self.files[name] = "\n".join([*lines, *(",".join(f"{x:.6g}" for x in row) for row in rows)]) + "\n"
        return name

    # --- groups

    def size(self) -> int:
        """So many cells; often a square, so that groups pair off."""
        return self.random.choice((4, 9)) if self.maybe(0.3) else self.random.randint(1, self.most)

    def population(self, name: str) -> None:
        model = self.pick(NEURONS)
        count = self.size()
        given = []
        if self.maybe(0.6):
            given.append(f"v = {self.value(-70, -50) if model == 'Simple' else self.value(0, 0.9)}")
        if model == "Leaky":
            given += [f"tau = uniform({self.between(5, 10)} ms, 20 ms)"] if self.maybe(0.4) else []
            given += [f"t_ref = {self.value(0, 3, 'ms').replace('normal', 'uniform')}"] if self.maybe(0.3) else []
        if model == "Steps" and self.maybe(0.3):
            given.append(f"v_th = {self.between(0.5, 1.5)}")
        if model == "Simple" and self.maybe(0.4):
            given.append(f"d = {self.value(2, 8)}")
        if self.signals and self.maybe(0.2):
            given.append(f"I = {self.pick(self.signals)}")
        self.populations[name] = model, count
        self.lines.append(f"population {name}: {_call(model, given)}[{count}]")

    def source(self, name: str) -> None:
        kind = self.pick(("poisson", "poisson", "regular", "spikes"))
        count = self.size()
        if kind == "poisson":
            what = f"poisson(rate = {self.between(100, 1500)} Hz)"
        elif kind == "regular":
            start = f", start = {self.between(0, 6)} ms" if self.maybe(0.5) else ""
            what = f"regular(rate = {self.between(80, 600)} Hz{start})"
        else:
            rows = [(self.random.randrange(count), self.random.choice((0.0, 2.0, self.random.uniform(0, 30)))) for _ in range(6 * count)]
            what = f'spikes(file = "{self.file("index,time_ms", rows)}")'
        self.sources[name] = count
        self.lines.append(f"source {name}: {what}[{count}]")

    # --- projections

    def slice(self, name: str, count: int) -> tuple[str, int]:
        if count > 1 and self.maybe(0.25):
            low = self.random.randrange(count)
            high = self.random.randint(low + 1, count)
            return f"{name}[{low}:{high}]", high - low
        return name, count

    def rule(self, source: str, sources: int, target: str, targets: int, weight: str | None) -> tuple[str, str | None]:
        """A rule that fits, with its flags, and a weight."""
        same = source.split("[")[0] == target.split("[")[0]
        own = "" if not same else ", self" if self.maybe(0.3) else ""
        most = max(1, min(sources, targets) - (1 if same and not own else 0))
        kinds = ["all_to_all", "random", "fixed_indegree", "fixed_outdegree", "fixed_total", "from_file"]
        kinds += ["one_to_one"] * 2 if sources == targets and not (same and not own) else []
        kinds += ["shared"] if not same else []
        kinds += ["dense", "conv2d"] if weight is not None and not same else []
        kind = self.pick(kinds)
        single = same and min(sources, targets) == 1
        if kind.startswith("fixed") and (single or self.maybe(0.4)):
            own += ", multapses" if not single or own else ", self, multapses"
            k = self.random.randint(1, 4)
            return (f"{kind}({'n' if kind == 'fixed_total' else 'k'} = {k * (3 if kind == 'fixed_total' else 1)}){own}", weight)
        match kind:
            case "random":
                return f"random(p = {self.pick(('0', '1', self.between(0.1, 0.9)))}){own}", weight
            case "fixed_indegree" | "fixed_outdegree":
                return f"{kind}(k = {self.random.randint(1, most)}){own}", weight
            case "fixed_total":
                return f"fixed_total(n = {self.random.randint(1, most)}){own}", weight
            case "shared":
                return f"shared(groups = {self.random.randint(1, sources)})", weight
            case "dense":
                rows = [tuple(self.random.uniform(0, 0.5) for _ in range(targets)) for _ in range(sources)]
                return "dense", f'"{self.file("", rows)}"' if sources > 1 and targets > 1 else weight
            case "conv2d" if sources == targets and int(sources**0.5) ** 2 == sources:
                return "conv2d(kernel = 3)", weight
            case "from_file":
                pairs = [(self.random.randrange(sources), self.random.randrange(targets)) for _ in range(2 * max(sources, targets))]
                header = "source,target"
                rows = [(float(a), float(b)) for a, b in pairs]
                if self.maybe(0.5):
                    header, rows = header + ",delay", [(*row, self.random.choice((1.0, 2.0, 3.5))) for row in rows]
                if weight is not None and self.maybe(0.5):
                    name = self.file(header + ",weight", [(*row, self.random.uniform(0, 0.6)) for row in rows])
                    return f'from file "{name}", self, multapses', self.pick((f'"{name}:weight"', "1", "0.5"))
                return f'from file "{self.file(header, rows)}", self, multapses', weight
            case _:
                return f"{kind if kind != 'conv2d' else 'all_to_all'}{own}", weight

    def delay(self) -> str:
        """A constant, perhaps no multiple of a step, or a draw."""
        return self.value(1, 6, "ms")

    def project(self, source: str, sources: int, target: str, targets: int, forward: bool) -> None:
        """A projection of events; without `forward` a spike needs time, so that no cycle closes."""
        model, _ = self.populations[target]
        here, n = self.slice(source, sources)
        there, m = self.slice(target, targets)
        port = self.pick(NEURONS[model])
        plastic = self.maybe(0.6)
        weight = None if plastic else self.value(0.05, 0.9)
        rule, weight = self.rule(here, n, there, m, weight)
        parts = []
        if plastic:
            name = self.pick(SYNAPSES)
            given = [self._given(*entry) for entry in SYNAPSES[name] if self.maybe(0.35)]
            if name == "Rewarded" and self.maybe(0.8):
                feeds = [*self.signals, "post.v", "post.o"] + (["pre.v", "pre.o"] if source in self.populations else [])
                given.append(f"DA = {self.pick(feeds)}")
            parts.append(_call(name, given))
        else:
            parts.append(f"w = {weight}")
        parts.append(rule)
        zero = forward and self.maybe(0.35)
        drawn_axon = False
        if not zero:
            axon = self.delay() if plastic or self.maybe(0.7) else self.between(1, 4) + " ms"
            drawn_axon = "(" in axon
            parts.append(f"axon = {axon}")
        if forward and "delay" in self.files.get(rule.split('"')[1] if '"' in rule else "", "")[:30] and self.maybe(0.7):
            parts = [part for part in parts if not part.startswith("axon")]
            zero = False
        if self.maybe(0.35) and not zero:
            parts.append(f"dend = {self.delay() if plastic else self.between(1, 3) + ' ms' if drawn_axon else self.value(1, 3, 'ms')}")
        if plastic and self.maybe(0.4):
            parts.append(f"back = {self.delay()}")
        if plastic and not zero and self.maybe(0.15):  # seen at once, sent later
            parts = [part for part in parts if not part.startswith("axon")]
            if not any(part.startswith("dend") for part in parts):
                parts.append(f"dend = {self.delay()}")
        end = f"{there}.{port}"
        self.lines.append(f"project {here} -> {end}: {', '.join(parts)}")
        self.joined.setdefault((here, end), zero)

    def _given(self, name: str, low: float, high: float) -> str:
        """An argument of a synapse, drawn where it may be; not from a normal distribution where it has to stay in a range."""
        unit = " ms" if name.startswith("tau") else ""
        if unit or name in ("w", "w_max"):
            return f"{name} = uniform({self.between(low, high)}{unit}, {self.between(low, high)}{unit})"
        return f"{name} = {self.value(low, high)}"

    def third(self) -> None:
        """Some synapses reach a third party that is not reached in another way without delay."""
        here, end = self.random.choice([key for key, zero in self.joined.items() if not zero])
        name = self.pick(self.populations)
        model, count = self.populations[name]
        via = f"{self.slice(name, count)[0]}.{self.pick(NEURONS[model])}"
        self.lines.append(f"third {here} -> {end} via {via}: p = {self.between(0.2, 1)}, w = {self.value(0.1, 0.4)}")

    def couple(self) -> None:
        """A continuous value from cells, a gap junction, or a source of values."""
        name, target = self.pick(self.populations), self.pick(self.populations)
        here, n = self.slice(name, self.populations[name][1])
        there, m = self.slice(target, self.populations[target][1])
        rule = self.rule(here, n, there, m, None)[0]
        if '"' in rule or "delay" in rule:
            rule = "all_to_all"
        if rule == "all_to_all" and name == target:
            rule = "all_to_all, self"
        simple = "Simple" in (self.populations[name][0], self.populations[target][0])
        if not simple and self.maybe(0.5):
            self.lines.append(f"project {here}.v -> {there}.I: w = {self.value(0.01, 0.1)}, {rule}, gap")
        else:
            self.lines.append(f"project {here}.{'o' if simple else self.pick('ov')} -> {there}.I: w = {self.value(-0.05, 0.1)}, {rule}")

    def drive(self, number: int) -> None:
        target = self.pick(self.populations)
        there, m = self.slice(target, self.populations[target][1])
        kind = self.pick(
            ("current_step(amplitude = 1.4, start = 2 ms)", "current_ramp(initial = 0, final = 2)", "current_noise(mean = 1.2, sd = 0.5)")
        )
        count = self.random.choice((1, m))
        self.lines.insert(0, f"source c{number}: {kind}[{count}]")
        rule = "all_to_all" if count == 1 else "one_to_one"
        self.lines.append(f"project c{number} -> {there}.I: {f'w = {self.value(0.3, 1.2)}, ' if self.maybe(0.5) else ''}{rule}")


def _call(name: str, given: list[str]) -> str:
    return f"{name}({', '.join(given)})" if given else name


def random_network(seed: int, most: int = 12) -> Fuzzed:
    """A network of populations of up to `most` cells."""
    random = Random(seed)
    w = _Writer(random, most)
    if w.maybe(0.5):
        w.signals.append("DA")
        w.lines.append(f"signal DA: tau = {w.between(5, 60)} ms")
    names = ["A", "B", "C"][: random.randint(1, 3)]
    chain = random.sample(names, len(names))  # in which spikes may act without delay
    for name in names:
        w.population(name)
    for name in ("s", "t")[: random.randint(1, 2)]:
        w.source(name)
    for name in w.sources:
        for target in random.sample(names, random.randint(1, len(names))):
            w.project(name, w.sources[name], target, w.populations[target][1], True)
    for _ in range(random.randint(1, 4)):
        source, target = random.choice(names), random.choice(names)
        forward = chain.index(source) < chain.index(target)
        w.project(source, w.populations[source][1], target, w.populations[target][1], forward)
    if w.signals:
        w.lines.append(f"project {random.choice(names)} -> DA: w = {w.value(0.01, 0.3)}, all_to_all{w.pick(('', ', axon = 1.3 ms'))}")
    if w.maybe(0.3) and not all(w.joined.values()):
        w.third()
    for _ in range(random.choice((0, 0, 1, 2))):
        w.couple()
    for number in range(random.choice((0, 1, 1, 2))):
        w.drive(number)
    head = "\n    ".join(sorted(w.lines, key=lambda line: ("signal", "population", "source", "project", "third").index(line.split()[0])))
    return Fuzzed(f"{MODELS}\nnetwork Fuzzed:\n    {head}\n", w.files, w.pick(STEPS))
