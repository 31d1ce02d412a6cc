"""The dense product beside that of the active inputs: `python -m tests.nn.bench_sparse`, on the Keras that `KERAS_BACKEND` names."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from birc.nn.training.sparse import active_inputs, of_active
from tests.nn.engines import ENGINE, ops

SAMPLES, INPUTS, OUTPUTS = 3200, 784, 256


def milliseconds(function: Callable[[], Any], times: int = 15) -> float:
    """The median."""
    found = []
    for _ in range(times):
        begin = perf_counter()
        ops.convert_to_numpy(function())
        found.append(1e3 * (perf_counter() - begin))
    return float(np.median(found))


def main() -> None:
    """One row for each part of active inputs."""
    random = np.random.default_rng(0)
    w = ops.convert_to_tensor(random.normal(size=(INPUTS, OUTPUTS)).astype(np.float32))
    print(f"{ENGINE}: {SAMPLES} x {INPUTS} by {OUTPUTS}, ms\nactive  dense  gathered")
    for part in (0.05, 0.1, 0.2, 0.3, 0.5):
        spikes = (random.random((SAMPLES, INPUTS)) < 0.3).astype(np.float32)
        spikes[:, random.permutation(INPUTS)[int(part * INPUTS) :]] = 0
        z = ops.convert_to_tensor(spikes)
        dense = milliseconds(lambda z=z: ops.matmul(z, w))  # type: ignore[misc]
        gathered = milliseconds(lambda z=z: of_active(z, w, active_inputs(z)))  # type: ignore[misc]
        print(f"{part:6.2f} {dense:6.1f} {gathered:9.1f}")


if __name__ == "__main__":
    main()
