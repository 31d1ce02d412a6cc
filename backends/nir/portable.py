"""What programs that read NIR really do, as data, and where a graph leaves the subset on which they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from birc.backends import Numbers
from birc.backends.nir.legality import Value
from birc.backends.nir.plan import Plan


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


PROFILES: dict[str, Profile] = {
    "norse": Profile("norse", "1.1.0", None, "zero", frozenset({"LIF", "CubaLIF", "IF"}), gain=False, integrator=1.0),
    "snntorch": Profile("snntorch", "1.0.0", 1e-4, "zero", frozenset({"LIF", "CubaLIF"})),
}


def deviations(plan: Plan, value: Value, numbers: Numbers) -> list[str]:
    """Everything by which a reader's run will differ from the model, by name."""
    found: list[str] = []
    kinds = {plan.kind(n) for n in plan.nodes if n.state != plan.current}
    last = plan.nodes[-1]
    if plan.threshold is not None:
        if not plan.threshold.strict:
            found.append("threshold: NIR's is strict, v > threshold; the model's is v >= threshold")
        if value(plan.threshold.reset) != value(last.rest):
            deaf = [p.name for p in PROFILES.values() if p.reset == "zero"]
            found.append(f"reset: not to rest; {' and '.join(deaf)} reset to rest all the same")
    for node in plan.nodes:
        initial = numbers.initial.get(node.state)
        if initial is not None and float(initial) != value(node.rest):
            found.append(f"start: `{node.state}` does not start at rest; NIR has no initial values")
    for profile in PROFILES.values():
        lacking = sorted(kinds - profile.nodes)
        if lacking:
            found.append(f"{profile.name}: does not read {', '.join(lacking)}")
        elif "IF" in kinds and profile.integrator is not None:
            found.append(
                f"{profile.name}: advances IF by {profile.integrator:g} s in each step; divide its samples by the steps per second"
            )
        elif profile.dt is not None and abs(profile.dt - numbers.h / 1000) > 1e-9 * profile.dt:
            found.append(f"{profile.name}: runs at a step of {profile.dt:g} s, whatever the graph was made for")
    found.append("method: readers step by forward Euler; the model's own solution is exact")
    return found
