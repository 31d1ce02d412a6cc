"""Who reaches whom, by every rule; what a rule means stands at its own function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from birc.ir.connectivity.cells import Pairs, pair_count
from birc.ir.connectivity.chance import fixed_indegree, fixed_outdegree, random
from birc.ir.connectivity.convolution import conv2d
from birc.ir.connectivity.edges import Array, Wiring
from birc.ir.connectivity.listed import from_file
from birc.ir.connectivity.plain import all_to_all, one_to_one, shared
from birc.ir.connectivity.total import fixed_total

RULES: dict[str, Callable[[Wiring], Pairs]] = {
    "one_to_one": one_to_one,
    "all_to_all": all_to_all,
    "dense": all_to_all,
    "conv2d": conv2d,
    "shared": shared,
    "random": random,
    "fixed_indegree": fixed_indegree,
    "fixed_outdegree": fixed_outdegree,
    "fixed_total": fixed_total,
    "from_file": from_file,
}


def pairs(wiring: Wiring) -> tuple[Array, Array, Array]:
    """Source, target and occurrence of each synapse (int32 [synapses]), sorted by source, then target, then occurrence.

    The occurrence is 0 for the first synapse of a pair, 1 for the second and so on. Raises what the rule raises.
    """
    source, target = RULES[wiring.rule](wiring)
    key = np.sort(source * wiring.targets + target)
    source, target = np.divmod(key, wiring.targets)
    return source.astype(np.int32), target.astype(np.int32), _occurrence(key)


def _occurrence(key: Array) -> Array:
    """How many equal keys stand before each of sorted ones (int32)."""
    place = np.arange(len(key))
    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    count: Array = place - np.maximum.accumulate(np.where(first, place, 0))
    return count.astype(np.int32)


def occurrences(source: Array, target: Array, targets: int) -> Array:
    """The occurrence of each synapse in any order: how many of its pair stand before it (int32 [synapses])."""
    key = source.astype(np.int64) * targets + target
    order = np.argsort(key, kind="stable")
    found = np.empty(len(key), np.int32)
    found[order] = _occurrence(key[order])
    return found


def expected_synapses(wiring: Wiring) -> float:
    """How many synapses a rule makes, on average where it draws; found without making them.

    It is a bound for `conv2d`, whose windows are cut at the border, and for what leaves out autapses without drawing others for them.
    """
    arguments = wiring.arguments
    match wiring.rule:
        case "random":
            return float(arguments["p"]) * pair_count(wiring)
        case "fixed_indegree":
            return float(arguments["k"]) * wiring.targets
        case "fixed_outdegree":
            return float(arguments["k"]) * wiring.sources
        case "fixed_total":
            return float(arguments["n"])
        case "all_to_all" | "dense":
            return float(pair_count(wiring))
        case "from_file":
            return float(np.size(arguments["source"]))
        case "conv2d" if np.ndim(arguments["kernel"]) == 0:
            return float(arguments["kernel"]) ** 2 * wiring.targets
        case "conv2d":
            kernel = np.shape(arguments["kernel"])
            return float(np.prod(kernel[-3:])) * wiring.targets
        case _:
            return float(wiring.targets)
