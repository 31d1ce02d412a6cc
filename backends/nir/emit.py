"""A NIR artifact: `plan.txt`, the graph in the model's own words, and, once numbers are known, `model.nir`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from birc.backends import Artifact, Dtype, Numbers
from birc.backends.nir.graph import build, node_names, write
from birc.backends.nir.legality import Value, insist, misfits, plan_of, values, waiting
from birc.backends.nir.plan import Plan
from birc.backends.nir.portable import METHOD, deviations
from birc.backends.show import show
from birc.ir.step import Step

FILE, PLAN = "model.nir", "plan.txt"


def emit(step: Step, dtype: Dtype) -> Artifact:
    """The plan as text; a graph holds numbers, among them the step's length, so the file comes with `fill`."""
    plan = planned(step)
    names = node_names(plan)
    kinds = {names[n.state]: plan.kind(n) for n in plan.nodes if n.state in names}
    ports = [{"port": name, "kind": "current" if kind == "input" else "event"} for kind, name in plan.ports]
    return Artifact("nir", step, dtype, {PLAN: describe(step, plan)}, {"nir": {"nodes": kinds, "input": ports}})


def planned(step: Step) -> Plan:
    """The plan of a program that is not refused."""
    plan, found = plan_of(step)
    insist(found)
    assert plan is not None
    return plan


def fill(artifact: Artifact, numbers: Numbers) -> Artifact:
    """The artifact with its graph. Raises L324 and L326 where the numbers make none."""
    step = artifact.step
    plan = planned(step)
    value = values(step, {n: x for n, x in numbers.bind.items() if not hasattr(x, "__len__")})
    insist((*waiting(step, value), *misfits(plan, value)))
    data = write(build(plan, value, numbers.h, artifact.dtype))
    manifest = {**artifact.manifest["nir"], **meaning(plan, value, numbers)}
    return replace(artifact, files={**artifact.files, FILE: data}, manifest={**artifact.manifest, "nir": manifest})


def meaning(plan: Plan, value: Value, numbers: Numbers) -> dict[str, Any]:
    """How to read the file's values: the rest that is 0 there, and what readers are known to do otherwise."""
    rests = {n.state: value(n.rest) for n in plan.nodes}
    scale = {}
    if plan.current is not None:
        current = plan.nodes[0]
        onward = next(s for s in plan.nodes[-1].sources if s.name == current.state)
        scale[current.state] = value(onward.gain) * numbers.h
    otherwise = [*(d.text for d in deviations(plan, value, numbers.h)), METHOD]
    return {"dt": numbers.h / 1000, "rest": rests, "scale": scale, "deviations": otherwise}


def describe(step: Step, plan: Plan) -> str:
    """Each node with its parameters as expressions of the model's."""
    names = node_names(plan)
    out = [
        f"{step.name}: {', '.join(name for _, name in plan.ports)} -> {' -> '.join(plan.kind(n) for n in plan.nodes if n.state in names)}",
        "",
    ]
    for node in plan.nodes:
        kind = plan.kind(node) if node.state in names else "the current of the node below"
        out.append(f"{names.get(node.state, node.state)}: {kind}" + (f"  # {node.span.where}" if node.span else ""))
        if node.rate is not None:
            out += [f"    rate = {show(node.rate)} per ms", f"    rest = {show(node.rest)}"]
        elif node.drift.attr != 0.0:
            out.append(f"    drift = {show(node.drift)} per ms")
        for source in node.sources:
            out.append(f"    + {show(source.gain)} * {source.name}" + (" at each event" if source.kind == "event" else " per ms"))
        if plan.threshold is not None and plan.threshold.state == node.state:
            out.append(f"    spikes above {show(plan.threshold.level)}, then {show(plan.threshold.reset)}")
    return "\n".join(out) + "\n"
