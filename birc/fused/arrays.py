"""A sweep over arrays of NumPy: what TensorFlow calls, and the tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from birc.fused.rooms import aligned
from birc.fused.sweep import Array, Sweeper, address, common, plain

NOTHING = np.zeros(0, np.float32)


def ahead(
    sweeper: Sweeper,
    inputs: Sequence[Array],
    initial: Sequence[Array],
    bind: Sequence[Array],
    seen: Sequence[int],
    mask: Array = NOTHING,
    last: bool = True,
) -> list[Array]:
    """What is seen, [outer, steps, inner] each, then the last states, [outer, inner] each; empty arrays are inputs that are 0.

    mask: [outer, steps], or empty; where it is 0, states stay and what is seen is 0.
    """
    kernel = sweeper.kernel
    given = [plain(a) for a in inputs]
    states, numbers, kept = [plain(a) for a in initial], [plain(a) for a in bind], plain(mask)
    shape = common(kernel, [a for a in given if a.size], states, numbers, kept)
    rows, ends = (shape.outer, shape.steps, shape.inner), (shape.outer, shape.inner)
    out = [aligned(*rows) if i in seen else None for i in range(len(kernel.seen))]
    after = [aligned(*ends) if last else None for _ in kernel.slots]
    sweeper.ahead(
        shape,
        [address(a) for a in given],
        [address(a) for a in states],
        [address(a) for a in numbers],
        [int(a.size > 1) for a in numbers],
        address(kept),
        [address(a) for a in out],
        [address(a) for a in after],
    )
    return [a for a in (*out, *after) if a is not None]


def back(
    sweeper: Sweeper,
    inputs: Sequence[Array],
    initial: Sequence[Array],
    bind: Sequence[Array],
    up: Sequence[Array],
    up_last: Sequence[Array],
    mask: Array = NOTHING,
) -> list[Array]:
    """dL/d of the inputs that are given, of initial states and of wanted bind values, [outer, inner] each."""
    kernel = sweeper.kernel
    given = [plain(a) for a in inputs]
    states, numbers, kept = [plain(a) for a in initial], [plain(a) for a in bind], plain(mask)
    shape = common(kernel, [a for a in given if a.size], states, numbers, kept)
    ups, ends = [plain(a) for a in up], [plain(a) for a in up_last]
    input_bars = [aligned(*a.shape) for a in given]
    initial_bars = [np.zeros((shape.outer, shape.inner), np.float32) for _ in kernel.slots]
    bind_bars = [aligned(shape.outer, shape.inner) for _ in kernel.wanted]
    sweeper.back(
        shape,
        [address(a) for a in given],
        [address(a) for a in states],
        [address(a) for a in numbers],
        [int(a.size > 1) for a in numbers],
        address(kept),
        [address(a) for a in ups],
        [address(a) for a in ends],
        [address(a) for a in input_bars],
        [address(a) for a in initial_bars],
        [address(a) for a in bind_bars],
    )
    return [*(a for a in input_bars if a.size), *initial_bars, *bind_bars]
