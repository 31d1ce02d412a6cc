"""What programs that read NIR really do, as data, and where a graph leaves the subset on which they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from birc.backends.nir.legality import Value
from birc.backends.nir.plan import Plan
from birc.errors import Span
from birc.ir.expr import var


@dataclass(frozen=True)
class Profile:
    """How one program runs a graph: all step by forward Euler, the current before the membrane, spikes where v > threshold.

    dt: its step in seconds, None where it can be chosen. reset: what a spike sets v to (`zero`: whatever v_reset says). nodes: what it
    reads rightly. shift: by how many steps its spikes are late. gain: whether `r` of LIF and IF is obeyed. integrator: the step in
    seconds by which IF advances, where it is another.
    """

    name: str
    version: str
    dt: float | None
    reset: Literal["zero", "value"]
    nodes: frozenset[str]
    shift: int = 0
    gain: bool = True
    integrator: float | None = None
    method: Literal["euler"] = "euler"

    def describe(self, dt: float) -> str:
        """The profile in words, for a graph made for a step of `dt` seconds."""
        late = f", spikes {self.shift} steps late" if self.shift else ""
        rest = "rest" if self.reset == "zero" else "v_reset"
        return f"forward Euler at {1e3 * (self.dt or dt):g} ms, reset to {rest}{late}"


PROFILES: dict[str, Profile] = {
    "norse": Profile("norse", "1.1.0", None, "zero", frozenset({"LIF", "CubaLIF", "IF"}), gain=False, integrator=1.0),
    "snntorch": Profile("snntorch", "1.0.0", 1e-4, "zero", frozenset({"LIF", "CubaLIF"})),
}


def outside(profile: Profile, plan: Plan, value: Value, h: float) -> list[str]:
    """Everything in a graph made for a step of `h` ms that one program does not read as NIR says."""
    kinds = {plan.kind(n) for n in plan.nodes if n.state != plan.current}
    lacking = sorted(kinds - profile.nodes)
    if lacking:
        return [f"does not read {', '.join(lacking)}"]
    found = []
    if plan.threshold is not None and profile.reset == "zero" and value(plan.threshold.reset) != value(plan.nodes[-1].rest):
        found.append("resets to rest, whatever v_reset says")
    if "IF" in kinds and profile.integrator is not None:
        found.append(f"advances IF by {profile.integrator:g} s in each step; divide its samples by the steps per second")
    elif profile.dt is not None and abs(profile.dt - h / 1000) > 1e-9 * profile.dt:
        found.append(f"runs at a step of {1e3 * profile.dt:g} ms, and the graph was made for {h:g} ms")
    return found


@dataclass(frozen=True)
class Deviation:
    """One thing by which a run of the graph elsewhere will differ from the model, with its place in the model."""

    text: str
    span: Span | None


METHOD = "method: readers step by forward Euler; the model's own solution is exact"
"""What is so for every graph."""


def deviations(plan: Plan, value: Value, h: float) -> list[Deviation]:
    """Everything by which a graph made for a step of `h` ms leaves the common subset: what NIR lacks, and what each reader does."""
    found: list[Deviation] = []
    threshold = plan.threshold
    if threshold is not None and not threshold.strict:
        found.append(Deviation("threshold: NIR's is strict, v > threshold; the model's is v >= threshold", threshold.span))
    for node in plan.nodes:
        if value(var(node.state)) != value(node.rest):
            found.append(Deviation(f"start: `{node.state}` does not start at rest; NIR has no initial values", node.span))
    place = threshold.span if threshold is not None else plan.nodes[-1].span
    found += [Deviation(f"{p.name}: {what}", place) for p in PROFILES.values() for what in outside(p, plan, value, h)]
    return found
