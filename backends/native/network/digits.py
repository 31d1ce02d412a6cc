"""What binding decided and shapes loops, as macros in front of a network's text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from birc.backends.native.network.emit import input_of
from birc.backends.native.network.plan import Kernel, Plan, Synapses
from birc.backends.networks import BoundProjection, NetworkJob

SIDES = {"pre": "<", "post": ">"}


def defines(plan: Plan, job: NetworkJob) -> str:
    """`#define` lines for each string of digits that are not all 0."""
    network = job.network
    macros: dict[str, str] = {}
    for kernel in plan.distinct_kernels:
        names = {p.population.name for p, k in zip(plan.populations, plan.kernels, strict=True) if k is kernel}
        mine = [p for p in network.populations if p.name in names]
        macros[f"EACH_{kernel.name}"] = each([p.bind for p in mine], kernel.places.binds)
        macros[f"INPUT_{kernel.name}"] = "".join("01"[any(_differs(job, p, name) for p in names)] for name in kernel.places.inputs)
    bound = {p.name: p for p in network.projections}
    for kind in plan.synapses:
        mine_ = [bound[w.name] for w in plan.wires if w.synapses is kind and w.name in bound]
        for role, made in kind.roles.items():
            macros[f"EACH_{kind.name}_{role}"] = each([p.bind.get(role, {}) for p in mine_], made.places.binds)
            macros[f"INPUT_{kind.name}_{role}"] = "".join(_fed(kind, role, made, mine_))
    return "".join(f'#define {name} "{digits}"\n' for name, digits in macros.items() if digits.strip("0"))


def each(binds: Iterable[object], names: Iterable[str]) -> str:
    """1 for each value that is an array somewhere."""
    binds = list(binds)
    return "".join("01"[any(np.size(bind.get(name, 0)) > 1 for bind in binds)] for name in names)  # type: ignore[attr-defined]


def _differs(job: NetworkJob, population: str, port: str) -> bool:
    """Whether an input differs between the neurons of a population."""
    fed = job.feeds.get(f"{population}.{port}")
    coupled = any(c.target == population and c.port == port for c in job.network.couplings)
    return coupled or (fed is not None and fed.shape[1] > 1)


def _fed(kind: Synapses, role: str, kernel: Kernel, projections: list[BoundProjection]) -> Iterator[str]:
    """Whose value each input of a synapse is; projections that share a kind have no inputs, or it is theirs alone."""
    for name in kernel.places.inputs:
        given = input_of(kind, role, name)[0] == "given"
        feeds = {SIDES.get(p.inputs.get(name, ("", ""))[0], "0") for p in projections} if given else set()
        yield feeds.pop() if feeds else "0"
