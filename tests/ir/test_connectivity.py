"""Wiring rules against their definitions, their degrees and their laws."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birc.errors import BircError
from birc.frontend.wiring import RULES as NAMES
from birc.ir import random
from birc.ir.connectivity import chance
from birc.ir.connectivity.build import backward, wire
from birc.ir.connectivity.convolution import kernel_factors
from birc.ir.connectivity.draws import draw
from birc.ir.connectivity.edges import Drawn, Wiring
from birc.ir.connectivity.listed import listed
from birc.ir.connectivity.rules import RULES, expected_synapses, pairs

Array = npt.NDArray[Any]
SEEDS = range(400)


def wiring(
    rule: str,
    sources: int = 6,
    targets: int = 6,
    same: int | None = None,
    flags: str = "",
    seed: int = 7,
    stream: int = 99,
    **arguments: Any,
) -> Wiring:
    return Wiring(rule, arguments, frozenset(flags.split()), sources, targets, same, seed, stream)


def listing(w: Wiring) -> list[tuple[int, int]]:
    source, target, _ = pairs(w)
    return list(zip(source.tolist(), target.tolist(), strict=True))


def test_every_rule_of_the_language_is_there() -> None:
    assert set(RULES) == set(NAMES)


# --- rules without chance


def test_one_to_one() -> None:
    assert listing(wiring("one_to_one", 3, 3)) == [(0, 0), (1, 1), (2, 2)]
    assert listing(wiring("one_to_one", 3, 3, same=1)) == [(0, 0), (1, 1), (2, 2)]
    assert listing(wiring("one_to_one", 3, 3, same=0)) == []


@pytest.mark.parametrize("rule", ["all_to_all", "dense"])
def test_all_to_all(rule: str) -> None:
    assert listing(wiring(rule, 2, 3)) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert listing(wiring(rule, 2, 3, same=0)) == [(0, 1), (0, 2), (1, 0), (1, 2)]
    assert listing(wiring(rule, 2, 3, same=-2)) == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert listing(wiring(rule, 2, 3, same=1)) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)]
    assert listing(wiring(rule, 2, 2, same=0, flags="self")) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_shared_sources_have_stretches_of_targets() -> None:
    assert listing(wiring("shared", 9, 5, groups=2)) == [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)]


def test_conv2d_of_a_size() -> None:
    found = listing(wiring("conv2d", 9, 4, kernel=3, stride=2))  # images of 3 x 3 and 2 x 2
    assert [s for s, t in found if t == 0] == [0, 1, 3, 4]  # the window at (0, 0)
    assert [s for s, t in found if t == 1] == [1, 2, 4, 5]  # at (0, 2)
    assert [s for s, t in found if t == 3] == [4, 5, 7, 8]  # at (2, 2)


def test_conv2d_is_the_convolution() -> None:
    rng = np.random.default_rng(1)
    kernel, image = rng.normal(size=(2, 3, 3, 5)), rng.normal(size=(3, 7, 7))
    w = wiring("conv2d", 3 * 49, 2 * 16, kernel=kernel, stride=2)
    padded = np.pad(image, ((0, 0), (1, 1), (2, 2)))
    expected = [[[np.sum(kernel[o] * padded[:, y : y + 3, x : x + 5]) for x in range(0, 7, 2)] for y in range(0, 7, 2)] for o in range(2)]
    source, target, _ = pairs(w)
    factors = kernel_factors(w)
    assert factors is not None
    np.testing.assert_allclose(np.bincount(target, factors * image.reshape(-1)[source]), np.reshape(expected, -1), rtol=1e-12)


def test_the_factors_of_a_kernel_leave_out_what_the_rule_leaves_out() -> None:
    kernel = np.arange(9.0).reshape(3, 3)
    w = wiring("conv2d", 9, 9, same=0, kernel=kernel)
    factors = kernel_factors(w)
    assert factors is not None
    assert len(factors) == len(pairs(w)[0]) == 40
    assert 4.0 not in factors
    assert kernel_factors(wiring("conv2d", 9, 9, kernel=3)) is None


# --- degrees


CASES: dict[str, dict[str, Any]] = {
    "random": {"p": 0.3},
    "fixed_indegree": {"k": 4},
    "fixed_outdegree": {"k": 4},
    "fixed_total": {"n": 9},
}


@given(
    sources=st.integers(5, 40),
    targets=st.integers(5, 40),
    same=st.none() | st.integers(-45, 45),
    rule=st.sampled_from(sorted(CASES)),
    flags=st.sampled_from(["", "self", "multapses", "self multapses"]),
    seed=st.integers(0, 2**64 - 1),
)
@settings(deadline=None, max_examples=200)
def test_what_holds_for_every_draw(sources: int, targets: int, same: int | None, rule: str, flags: str, seed: int) -> None:
    w = wiring(rule, sources, targets, same, flags, seed, **CASES[rule])
    source, target, occurrence = pairs(w)
    assert [array.dtype for array in (source, target, occurrence)] == [np.int32] * 3
    keys = list(zip(source.tolist(), target.tolist(), occurrence.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert all(0 <= s < sources and 0 <= t < targets for s, t, _ in keys)
    many = Counter(key[:2] for key in keys)
    assert all((s, t, m) in set(keys) for (s, t), n in many.items() for m in range(n))
    if "multapses" not in flags:
        assert set(many.values()) <= {1}
    if same is not None and "self" not in flags:
        assert not np.any(source - target == same)
    match rule:
        case "fixed_indegree":
            assert np.bincount(target, minlength=targets).tolist() == [4] * targets
        case "fixed_outdegree":
            assert np.bincount(source, minlength=sources).tolist() == [4] * sources
        case "fixed_total":
            assert len(source) == 9


@pytest.mark.parametrize("n", [1, 15, 16, 29, 30])
def test_a_total_up_to_every_pair(n: int) -> None:
    found = listing(wiring("fixed_total", 6, 6, 0, n=n))
    assert len(found) == len(set(found)) == n
    assert all(s != t for s, t in found)


@pytest.mark.parametrize("rule", ["fixed_indegree", "fixed_outdegree"])
def test_a_degree_of_every_partner_is_all_to_all(rule: str) -> None:
    assert listing(wiring(rule, 6, 6, 0, k=5)) == listing(wiring("all_to_all", 6, 6, 0))


def test_random_at_its_ends() -> None:
    assert listing(wiring("random", 6, 7, 1, p=0.0)) == []
    assert listing(wiring("random", 6, 7, 1, p=1.0)) == listing(wiring("all_to_all", 6, 7, 1))


def test_partners_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [
        wiring("random", 50, 300, 3, p=0.3),
        wiring("fixed_indegree", 50, 60, 3, k=7),
        wiring("fixed_outdegree", 50, 60, 3, k=7),
    ]
    whole = [listing(w) for w in some]
    monkeypatch.setattr(chance, "PIECE", 100)
    assert [listing(w) for w in some] == whole


def test_the_partners_of_a_source_do_not_depend_on_the_others() -> None:
    for rule, arguments in (("random", {"p": 0.2}), ("fixed_outdegree", {"k": 5})):
        few, many = (listing(wiring(rule, n, 30, **arguments)) for n in (4, 40))
        assert few == [pair for pair in many if pair[0] < 4]


# --- definitions, draw by draw


def test_random_walks_over_targets() -> None:
    w = wiring("random", 3, 50, same=-10, p=0.1)  # target 10 is the cell of source 0
    expected = []
    for source in range(3):
        place, step = -1, 0
        while True:
            u = random.uniform(w.seed, w.stream, step, source)
            place += 1 + int(np.floor(random.log(u) / random.log(np.asarray(1 - 0.1))))
            if place >= 49:
                break
            expected.append((source, place + (place >= 10 + source)))
            step += 1
    assert listing(w) == expected


def test_floyds_sample() -> None:
    w = wiring("fixed_outdegree", 4, 9, same=0, k=5)
    expected = []
    for source in range(4):
        taken: set[int] = set()
        for t in range(5):
            number = int(np.floor(random.uniform(w.seed, w.stream, t, source) * (8 - 5 + t + 1)))
            taken.add(8 - 5 + t if number in taken else number)
        expected += sorted((source, number + (number >= source)) for number in taken)
    assert listing(w) == expected


def test_a_total_with_multapses_counts_sources_first() -> None:
    w = wiring("fixed_total", 3, 4, same=0, flags="multapses", n=50)
    owners = [0] * 3 + [1] * 3 + [2] * 3  # the pairs that there are, by source
    degree = Counter(owners[int(np.floor(random.uniform(w.seed, w.stream, m, 0, lane=1) * 9))] for m in range(50))
    expected = []
    for source in range(3):
        numbers = [int(np.floor(random.uniform(w.seed, w.stream, j, source) * 3)) for j in range(degree[source])]
        expected += sorted((source, number + (number >= source)) for number in numbers)
    assert listing(w) == expected


# --- laws


def table(rule: str, flags: str = "", same: int | None = 0, **arguments: Any) -> Array:
    """How often each pair is connected: [seeds, sources, targets]."""
    counts = np.zeros((len(SEEDS), 5, 6))
    for i, seed in enumerate(SEEDS):
        source, target, _ = pairs(wiring(rule, 5, 6, same, flags, seed, **arguments))
        np.add.at(counts[i], (source, target), 1)
    return counts


LAWS: list[tuple[str, str, dict[str, Any], float, float]] = [
    ("random", "", {"p": 0.3}, 0.3, 25 * 0.3 * 0.7),
    ("random", "", {"p": 0.9}, 0.9, 25 * 0.9 * 0.1),
    ("fixed_indegree", "", {"k": 2}, 0.0, 0.0),
    ("fixed_outdegree", "", {"k": 2}, 2 / 5, 0.0),
    ("fixed_outdegree", "multapses", {"k": 9}, 9 / 5, 0.0),
    ("fixed_total", "", {"n": 7}, 7 / 25, 0.0),
    ("fixed_total", "", {"n": 20}, 20 / 25, 0.0),
    ("fixed_total", "multapses", {"n": 60}, 60 / 25, 0.0),
]


@pytest.mark.parametrize(("rule", "flags", "arguments", "mean", "variance"), LAWS)
def test_pairs_are_alike(rule: str, flags: str, arguments: dict[str, Any], mean: float, variance: float) -> None:
    """Each pair has its mean, and the total its variance, over 400 seeds, within 4 standard errors."""
    counts = table(rule, flags, **arguments)
    allowed = ~np.eye(5, 6, dtype=bool)
    expected = np.where(allowed, mean, 0.0)
    if rule == "fixed_indegree":  # 4 sources can reach a target that is one of them, 5 the last
        expected = np.where(allowed, np.array([2 / 4] * 5 + [2 / 5]), 0.0)
    largest = expected.max() if "multapses" in flags else 0.25
    error = np.sqrt(largest / len(SEEDS))
    assert np.abs(counts.mean(axis=0) - expected).max() < 4 * error
    total = counts.sum(axis=(1, 2))
    assert total.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / len(SEEDS)))


def test_pairs_of_one_source_are_independent() -> None:
    """The covariance of any two pairs is 0 for `random`, and that of a sample for `fixed_outdegree`."""
    p = 0.3
    counts = table("random", same=None, p=p).reshape(len(SEEDS), -1)
    off = np.cov(counts.T)[~np.eye(30, dtype=bool)]
    assert np.abs(off).max() < 5 * p * (1 - p) / np.sqrt(len(SEEDS))
    rows = table("fixed_outdegree", same=None, k=2).reshape(-1, 6)
    off = np.cov(rows.T)[~np.eye(6, dtype=bool)]
    assert np.abs(off + 1 / 3 * 2 / 3 / 5).max() < 5 * 2 / 9 / np.sqrt(len(rows))


def test_every_set_of_pairs_is_equally_likely() -> None:
    sets = Counter(tuple(listing(wiring("fixed_total", 2, 2, seed=seed, n=2))) for seed in range(1200))
    assert len(sets) == 6
    assert all(abs(count - 200) < 4 * np.sqrt(200 * 5 / 6) for count in sets.values())


def test_a_very_small_probability() -> None:
    """log(1 - p) has its digits where 1 - p has lost them."""
    assert chance.log_of_none(1e-17) == -1e-17
    assert chance.log_of_none(0.5) == pytest.approx(-np.log(2.0), rel=1e-15)
    for p in (1e-9, 7e-9, 8e-9, 1e-3):
        assert chance.log_of_none(p) == pytest.approx(np.log1p(-p), rel=1e-8)


def test_estimates_are_what_is_made_on_average() -> None:
    for rule, arguments in CASES.items():
        w = wiring(rule, 30, 40, 3, **arguments)
        made = np.mean([len(pairs(wiring(rule, 30, 40, 3, seed=seed, **arguments))[0]) for seed in range(50)])
        assert made == pytest.approx(expected_synapses(w), rel=0.03 if rule == "random" else 0)
    assert expected_synapses(wiring("all_to_all", 30, 40, 3)) == 30 * 40 - 27  # sources 3 to 29 are targets 0 to 26
    assert expected_synapses(wiring("conv2d", 49, 49, kernel=3)) == 9 * 49
    assert expected_synapses(wiring("conv2d", 98, 49, kernel=np.ones((1, 2, 3, 5)))) == 30 * 49
    assert expected_synapses(wiring("shared", 9, 50, groups=3)) == 50
    assert expected_synapses(wiring("from_file", source=np.arange(5), target=np.arange(5))) == 5


# --- draws


def test_a_draw_is_that_of_its_pair_and_occurrence() -> None:
    source, target, occurrence = np.array([1, 1, 4]), np.array([2, 2, 0]), np.array([0, 1, 0])
    normal = draw(Drawn("normal", 3.0, 0.5, 11), 7, source, target, occurrence)
    assert isinstance(normal, np.ndarray)
    keys = [(2, 1, 0), (2, 1, 1), (0, 4, 0)]
    assert normal.tolist() == [3.0 + 0.5 * float(random.normal(7, 11, t, s, m)) for t, s, m in keys]
    uniform = draw(Drawn("uniform", 3.0, 4.0, 11), 7, source, target, occurrence)
    assert isinstance(uniform, np.ndarray)
    assert uniform.tolist() == [3.0 + 1.0 * float(random.uniform(7, 11, t, s, m)) for t, s, m in keys]


def test_draws_are_kept_in_their_range() -> None:
    cells = np.arange(1000)
    found = draw(Drawn("normal", 0.0, 1.0, 11, low=0.0, high=1.0), 7, cells, cells, np.zeros(1000, int))
    assert isinstance(found, np.ndarray)
    assert (found.min(), found.max()) == (0.0, 1.0)
    assert 400 < np.count_nonzero(found == 0.0) < 600


def test_numbers_that_are_given() -> None:
    source, target = np.array([0, 1]), np.array([2, 0])
    assert draw(Drawn("constant", 3.0), 7, source, target, source) == 3.0
    array = draw(Drawn("array", array=np.array([5.0, 6.0])), 7, source, target, source)
    dense = draw(Drawn("array", array=np.arange(6.0).reshape(2, 3)), 7, source, target, source)
    assert isinstance(array, np.ndarray) and isinstance(dense, np.ndarray)
    assert (array.tolist(), dense.tolist()) == ([5.0, 6.0], [2.0, 3.0])


# --- edges


def test_edges_stand_by_source_delay_and_target() -> None:
    source, target = np.array([0, 0, 0, 2, 2]), np.array([0, 1, 3, 0, 2])
    delays = np.array([0.3, 0.1, 0.26, 0.1, 0.3])
    made = wire(
        wiring("from_file", 3, 4, source=source, target=target),
        (Drawn("array", array=delays), 0.1),
        (Drawn("array", array=np.arange(5.0)), Drawn("constant", 2.0)),
    )
    edges = made.edges
    assert edges.delays.tolist() == [1, 3]
    assert edges.target.tolist() == [1, 0, 3, 0, 2]
    assert edges.starts.tolist() == [0, 1, 3, 3, 3, 4, 5]
    assert edges.source().tolist() == [0, 0, 0, 2, 2]
    values = made.values[0]
    assert isinstance(values, np.ndarray)
    assert values.tolist() == [1.0, 0.0, 2.0, 3.0, 4.0]
    assert made.values[1] == 2.0
    assert [array.dtype for array in (edges.delays, edges.starts, edges.target)] == [np.int64, np.int64, np.int32]


def test_drawn_delays_are_at_least_one_step() -> None:
    w = wiring("all_to_all", 20, 20)
    assert wire(w, (Drawn("normal", 0.0, 0.1, 5), 0.1)).edges.delays.tolist()[:2] == [1, 2]
    assert wire(w, (Drawn("uniform", 0.0, 0.25, 5), 0.1)).edges.delays.tolist() == [1, 2]
    assert wire(w, (Drawn("constant", 0.0), 0.1)).edges.delays.tolist() == [0]
    assert wire(w, (Drawn("constant", 0.25), 0.1)).edges.delays.tolist() == [3]


@pytest.mark.parametrize(("delay", "delays"), [(Drawn("constant", 0.2), [2]), (Drawn("uniform", 0.1, 0.5, 5), [])])
def test_no_synapse_at_all(delay: Drawn, delays: list[int]) -> None:
    made = wire(wiring("random", 3, 4, p=0.0), (delay, 0.1), (Drawn("normal", 0.0, 1.0, 5),))
    assert made.edges.delays.tolist() == delays
    assert made.edges.starts.tolist() == [0] * (3 * len(delays) + 1)
    assert (made.edges.count, made.edges.source().tolist()) == (0, [])
    back = backward(made.edges, 2)
    assert (back.edges.count, back.edges.starts.tolist()) == (0, [0] * 5)


@given(
    seed=st.integers(0, 2**64 - 1),
    several=st.booleans(),
    delay=st.sampled_from([Drawn("constant", 0.3), Drawn("normal", 0.3, 0.2, 5), Drawn("uniform", 0.0, 0.9, 5)]),
    back=st.sampled_from(["number", "array"]),
)
@settings(deadline=None, max_examples=60)
def test_the_way_back_is_the_same_synapses(seed: int, several: bool, delay: Drawn, back: str) -> None:
    w = wiring("fixed_total", 8, 9, 2, "multapses" if several else "", seed, n=30)
    edges = wire(w, (delay, 0.1)).edges
    delays = 4 if back == "number" else np.arange(30) % 3
    found = backward(edges, delays)
    source, target = edges.source()[found.synapse], edges.target[found.synapse]
    steps = np.broadcast_to(delays, 30)[found.synapse]
    assert found.edges.source().tolist() == target.tolist()
    assert found.edges.target.tolist() == source.tolist()
    assert np.repeat(np.tile(found.edges.delays, 9), np.diff(found.edges.starts)).tolist() == steps.tolist()
    order = list(zip(target.tolist(), steps.tolist(), found.synapse.tolist(), strict=True))
    assert order == sorted(order)
    assert (found.edges.sources, found.edges.targets) == (9, 8)


# --- mistakes


def refusal(w: Wiring) -> str:
    with pytest.raises(BircError) as caught:
        pairs(w)
    return str(caught.value)


def edges(**changed: Any) -> dict[str, Any]:
    return {"file": "e.npz", "source": np.array([0, 1, 1]), "target": np.array([1, 0, 2]), **changed}


NOT_FILE = "\n  help: a file of synapses holds `source` and `target`, and may hold `weight` and `delay`"
BAD_FILES: list[tuple[dict[str, Any], str]] = [
    ({"file": "e.npz", "source": np.zeros(1)}, "error[I117]: `e.npz` has no `target`" + NOT_FILE),
    (
        edges(source=np.array([0, 7, -1])),
        "error[I117]: synapse 1 of `e.npz` has source 7\n  help: there are 6, counted from 0",
    ),
    (
        edges(target=np.array([0, 1, -1])),
        "error[I117]: synapse 2 of `e.npz` has target -1\n  help: there are 6, counted from 0",
    ),
    (
        edges(source=np.array([1, 0, 1]), target=np.array([2, 1, 2])),
        "error[I117]: synapses 0 and 2 of `e.npz` both lead from 1 to 2\n  help: the flag `multapses` allows several synapses of a pair",
    ),
    (
        edges(target=np.array([1, 1, 2])),
        "error[I117]: synapse 1 of `e.npz` leads from a cell to itself\n  help: the flag `self` allows that",
    ),
    (
        edges(source=np.array([0, 1])),
        "error[I117]: `e.npz` holds 2 sources and 3 targets\n  help: each synapse has one of each",
    ),
    (
        edges(source=np.array([0, 1.5, 2])),
        "error[I117]: `source` of `e.npz` is not made of whole numbers\n  help: cells are counted from 0",
    ),
    (
        edges(source=np.array(["a", "b", "c"])),
        "error[I117]: `source` of `e.npz` is not made of whole numbers\n  help: cells are counted from 0",
    ),
    (
        edges(source=np.zeros((3, 2))),
        "error[I117]: `source` of `e.npz` has the shape [3, 2]\n  help: it has one number for each synapse",
    ),
    (edges(weight=np.ones(2)), "error[I117]: `weight` of `e.npz` has 2 numbers for 3 synapses" + NOT_FILE),
    (
        edges(delay=np.array([1.0, np.nan, 1.0])),
        "error[I117]: `delay` of `e.npz` is not made of finite numbers" + NOT_FILE,
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_FILES)
def test_a_file_that_is_wrong(arguments: dict[str, Any], message: str) -> None:
    assert refusal(wiring("from_file", same=0, **arguments)) == message


def test_a_file_in_any_order() -> None:
    w = wiring("from_file", same=0, flags="self multapses", **edges(source=np.array([1.0, 0.0, 1.0]), target=np.array([[2], [0], [2]])))
    assert listing(w) == [(0, 0), (1, 2), (1, 2)]
    assert pairs(w)[2].tolist() == [0, 0, 1]
    found = listed(wiring("from_file", **edges(source=np.array([3, 1, 2]), weight=np.array([7, 8, 9]), delay=np.array([[1], [2], [3]]))))
    assert found.weight is not None and found.delay is not None
    assert (found.source.tolist(), found.weight.tolist(), found.delay.tolist()) == ([1, 2, 3], [8.0, 9.0, 7.0], [2.0, 3.0, 1.0])


MANY: list[tuple[Wiring, str]] = [
    (wiring("one_to_one", 3, 4), "error[M134]: `one_to_one`: 3 sources and 4 targets do not pair off"),
    (wiring("shared", 3, 4, groups=5), "error[M134]: `shared`: there are 3 sources to share, not 5"),
    (
        wiring("fixed_indegree", same=0, k=6),
        "error[M134]: `fixed_indegree`: a cell has 5 sources to choose from, not 6\n  help: without `self` no cell reaches itself",
    ),
    (wiring("fixed_outdegree", 9, 3, k=4), "error[M134]: `fixed_outdegree`: a cell has 3 targets to choose from, not 4"),
    (
        wiring("fixed_outdegree", 1, 1, 0, "multapses", k=4),
        "error[M134]: `fixed_outdegree`: a cell has 0 targets to choose from, not 4\n  help: without `self` no cell reaches itself",
    ),
    (wiring("fixed_total", 2, 3, n=7), "error[M134]: `fixed_total`: there are 6 pairs, not 7"),
    (
        wiring("conv2d", 10, 9, kernel=3),
        "error[I110]: `conv2d`: 10 sources are not 1 square image\n  help: a layer has channels times side times side cells",
    ),
    (
        wiring("conv2d", 9, 9, kernel=np.ones((2, 1, 3, 3))),
        "error[I110]: `conv2d`: 9 targets are not 2 square images\n  help: a layer has channels times side times side cells",
    ),
    (
        wiring("conv2d", 9, 9, kernel=3, stride=2),
        "error[I110]: `conv2d`: images of side 3 with stride 2 lead to images of side 2, not 3\n"
        "  help: a target image has the side of a source image divided by `stride`, rounded up",
    ),
    (
        wiring("conv2d", 9, 9, kernel=2),
        "error[I110]: `conv2d`: a kernel of shape [2, 2] has no centre\n"
        "  help: a kernel is [rows, columns] or [channels out, channels in, rows, columns], with odd numbers of rows and columns",
    ),
]


@pytest.mark.parametrize(("w", "message"), MANY)
def test_more_than_there_are(w: Wiring, message: str) -> None:
    assert refusal(w) == message
