"""Where the product with inputs that are mostly zeros meets the dense one: `python -m tests.bench.product` prints milliseconds of the
processor, on one thread, for y and for dL/dw, of both ways by the share of values that are not 0.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402

from birc.fused.product import kernel_bar, product  # noqa: E402
from birc.fused.rooms import aligned  # noqa: E402
from birc.fused.sweep import Array  # noqa: E402

ROWS = 3200
SIZES = ((784, 256), (256, 128), (128, 10))
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def least(function: Callable[[], object], rounds: int = 15) -> float:
    """The shortest of some calls, in ms."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return 1e3 * min(found)


def normal(*shape: int) -> Array:
    """Random numbers that begin a line of the cache, as those of the frameworks do."""
    made = aligned(*shape)
    made[:] = np.random.default_rng(0).standard_normal(shape)
    return made


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print("features units share | y: sparse dense | dL/dw: sparse dense")
    for features, units in SIZES:
        w, up = normal(features, units), normal(ROWS, units)
        for share in SHARES:
            x = (rng.random((ROWS, features)) < share).astype(np.float32)
            marks = product(x, w)[1:]
            ways = [(product, x, w), (np.matmul, x, w), (kernel_bar, x, *marks, up), (np.matmul, x.T, up)]
            a, b, c, d = (least(lambda way=way: way[0](*way[1:])) for way in ways)  # type: ignore[misc]
            print(f"{features:8} {units:5} {share:5.2f} | {a:9.2f} {b:5.2f} | {c:13.2f} {d:5.2f}")


if __name__ == "__main__":
    main()
