"""The generator against published vectors, the draws against libm and against their distributions."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from birc.errors import BircError
from birc.ir import random

Array = npt.NDArray[Any]

ONES = 0xFFFFFFFF
PUBLISHED = [  # Random123, kat_vectors, philox4x32-10
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_philox_gives_the_published_words(
    counter: tuple[int, int, int, int], key: tuple[int, int], words: tuple[int, int, int, int]
) -> None:
    assert tuple(int(w) for w in random.philox(counter, key)) == words


def test_a_counter_is_step_lane_instance_and_stream() -> None:
    seed = 0x299F31D0_A4093822
    step, lane = (0x85A3 << 32) | 0x243F6A88, 0x08D3
    words = random.block(seed, 0x03707344, step, 0x13198A2E, lane)
    assert [hex(int(w)) for w in words] == ["0xd16cfe09", "0x94fdcceb", "0x5001e420", "0x24126ea1"]


def test_vectorised_draws_are_the_scalar_ones() -> None:
    steps, instances = np.arange(5)[:, None], np.arange(7)
    table = random.normal(3, 11, steps, instances, lane=2)
    assert table.shape == (5, 7)
    assert table[4, 6] == random.normal(3, 11, 4, 6, lane=2)


def test_draws_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, instances = np.arange(40)[:, None], np.arange(30)
    whole = random.normal(3, 11, steps, instances)
    monkeypatch.setattr(random, "PIECE", 7)
    assert np.array_equal(random.normal(3, 11, steps, instances), whole)
    assert np.array_equal(random.normal(3, 11, 5, instances), whole[5])


def test_a_uniform_lies_above_zero_and_at_most_at_one() -> None:
    lowest = random.uniform_of(words(0), words(0))
    highest = random.uniform_of(words(ONES), words(ONES))
    assert lowest == 2.0**-54
    assert highest == 1.0
    assert random.uniform_of(words(1 << 30), words(1 << 11)) == 0.25 + 1.5 * 2.0**-53


def words(value: int) -> Array:
    return np.array(value, dtype=np.uint64)


def ulps(actual: Array, exact: Array) -> float:
    return float(np.max(np.abs(actual - exact) / np.spacing(np.abs(exact))))


def test_log_is_within_two_ulp() -> None:
    u = np.concatenate([random.uniform(1, 2, np.arange(100_000), 0), 2.0 ** -np.arange(0, 55.0), 1 - 2.0 ** -np.arange(1, 54.0)])
    u = u[u < 1]
    assert ulps(random.log(u), np.log(u)) <= 3  # NumPy's own is within 1
    assert random.log(np.array([1.0]))[0] == 0.0


def test_cosine_is_exact_at_quarters_and_close_elsewhere() -> None:
    u = np.concatenate([random.uniform(1, 3, np.arange(100_000), 0), 0.25 + np.linspace(-1e-9, 1e-9, 101)])
    assert np.max(np.abs(random.cos_turns(u) - cosine(u))) <= 4e-16
    near = np.array([0.25 - 2.0**-40])
    assert random.cos_turns(near)[0] == pytest.approx(2 * math.pi * 2.0**-40, rel=1e-15)
    assert list(random.cos_turns(np.array([0.0, 0.25, 0.5, 0.75, 1.0]))) == [1.0, 0.0, -1.0, 0.0, 1.0]


def cosine(u: Array) -> Array:
    """cos(2 pi u) from the platform's sine and cosine of an angle within pi/4, whose reduction is exact."""
    quarter = np.round(4 * u)
    x = (4 * u - quarter) * (math.pi / 2)
    return np.choose(quarter.astype(int) % 4, [np.cos(x), -np.sin(x), -np.cos(x), np.sin(x)])


def test_normals_are_normal() -> None:
    z = random.normal(7, random.stream("LIF.xi"), np.arange(400)[:, None], np.arange(500))
    count = z.size
    assert abs(z.mean()) < 4 / math.sqrt(count)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / count)
    assert abs((z**3).mean()) < 4 * math.sqrt(15 / count)
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / count)
    inside = np.mean(np.abs(z) < 1)
    assert inside == pytest.approx(0.6826894921, abs=4 * math.sqrt(0.22 / count))


def test_streams_instances_steps_lanes_and_seeds_are_uncorrelated() -> None:
    steps = np.arange(20_000)
    base = random.normal(1, random.stream("A.xi"), steps, 0)
    others = [
        random.normal(1, random.stream("B.xi"), steps, 0),
        random.normal(1, random.stream("A.xi"), steps, 1),
        random.normal(1, random.stream("A.xi"), steps + 1, 0),
        random.normal(1, random.stream("A.xi"), steps, 0, lane=1),
        random.normal(2, random.stream("A.xi"), steps, 0),
        random.normal(1 + (1 << 32), random.stream("A.xi"), steps, 0),
        random.normal(1, random.stream("A.xi"), steps + (1 << 32), 0),
    ]
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / math.sqrt(len(steps))


def test_exp_is_within_two_ulp() -> None:
    for x in np.linspace(-random.MAX_MEAN, 1, 5001):
        assert random.exp(float(x)) == pytest.approx(math.exp(x), rel=4.5e-16)


@pytest.mark.parametrize("mean", [0.0, 0.01, 0.2, 3.0, 40.0, 500.0])
def test_poisson_counts_have_their_mean_and_variance(mean: float) -> None:
    u = random.uniform(5, 9, np.arange(200_000), 0)
    counts = random.poisson(random.poisson_table(mean), u)
    assert counts.mean() == pytest.approx(mean, abs=5 * math.sqrt(mean / len(u)))
    assert counts.var() == pytest.approx(mean, abs=5 * math.sqrt((mean + 2 * mean**2) / len(u)))


def test_poisson_counts_are_the_inverse_of_the_distribution() -> None:
    table = random.poisson_table(1.0)
    e = math.exp(-1)
    u = np.array([2.0**-54, e - 1e-12, e + 1e-12, 2 * e + 1e-12, 2.5 * e + 1e-12, 1.0])
    counts = random.poisson(table, u)
    assert list(counts[:5]) == [0, 0, 1, 2, 3]
    assert 15 < counts[5] < 30


def test_rare_events_of_a_field_by_hand() -> None:
    """Gaps of -20 log(u) cells, two of each block of the field's; the second field has 76 cells."""
    seed, stream, step, apart = 3, 17, 5, 20.0
    for field, cells in ((0, 1024), (1, 76)):
        place, expected = 0.0, Counter[int]()
        for draw in range(200):
            words = random.block(seed, stream, step, field, draw // 2)
            high, low = words[2 * (draw % 2) : 2 * (draw % 2) + 2]
            place += -float(random.log(random.uniform_of(high, low))) * apart
            if place < cells:
                expected[1024 * field + int(place)] += 1
        index, many = random.rare_events(seed, stream, step, 1100, apart)
        of_field = index // 1024 == field
        assert dict(zip(index[of_field].tolist(), many[of_field].tolist(), strict=True)) == expected
    assert index.dtype == many.dtype == np.int32


@pytest.mark.parametrize("mean", [1e-5, 0.002, random.RARE])
def test_rare_events_are_poissons(mean: float) -> None:
    """Counts have mean and variance of Poisson's, also those of pairs of cells next to one another."""
    steps, n = 2000, 3000
    counts = np.zeros((steps, n), np.int32)
    for k in range(steps):
        index, many = random.rare_events(3, 17, k, n, 1 / mean)
        counts[k, index] = many
    for sums in (counts, counts[:, ::2] + counts[:, 1::2], counts[::2] + counts[1::2]):
        expected, size = mean * steps * n / sums.size, sums.size
        assert sums.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected / size))
        assert sums.var() == pytest.approx(expected, abs=5 * math.sqrt((expected + 2 * expected**2) / size))


def test_few_rare_events() -> None:
    assert random.rare_events(1, 2, 3, 5, 1e300)[0].size == 0
    assert random.rare_events(1, 2, 3, 1, 1e-3)[1].sum() > 800  # as many as it takes


def test_streams_are_stable_and_do_not_collide() -> None:
    assert random.stream("LIF.xi") == 0xAC5DCB48
    assert random.streams(["A.xi", "B.xi", "A.xi"]) == {"A.xi": random.stream("A.xi"), "B.xi": random.stream("B.xi")}


def test_streams_that_collide_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "stream", lambda name: 7)
    with pytest.raises(BircError) as caught:
        random.streams(["A.xi", "B.xi"])
    assert caught.value.code == "I160"
    assert "`A.xi` and `B.xi`" in str(caught.value)
