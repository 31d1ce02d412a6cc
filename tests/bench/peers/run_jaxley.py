"""Jaxley (Deistler et al. 2024) on the CPU; all cells by `vmap`, compiled before the clock starts."""

from __future__ import annotations

import math
import os
from typing import Any

from .line import Clock, Task, serve, task

TASK = task()
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_ENABLE_X64"] = str(TASK.dtype == "f64")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax  # noqa: E402 - it reads the environment when it is imported
import jax.numpy as jnp  # noqa: E402
import jaxley  # noqa: E402
from jaxley.channels import HH  # noqa: E402

LENGTH = math.sqrt(1000 / math.pi)
"""Of a cylinder of 1000 um^2, in um: 1 uA/cm^2 is 0.01 nA."""


def main(task: Task) -> None:
    """One compiled function, from the drives to the numbers of spikes."""
    cell = jaxley.Cell(jaxley.Branch(jaxley.Compartment(), ncomp=1), parents=[-1])
    cell.set("radius", LENGTH / 2)
    cell.set("length", LENGTH)
    cell.set("v", -65.0)
    cell.insert(HH())
    cell.set("HH_eLeak", -54.387)
    cell.branch(0).loc(0.5).record("v", verbose=False)
    cell.init_states()

    def spikes(drive: Any) -> Any:
        current = cell.branch(0).loc(0.5).data_stimulate(jnp.full(task.steps, drive), verbose=False)
        v = jaxley.integrate(cell, data_stimuli=current, delta_t=task.dt)[0]
        return jnp.sum((v[:-1] <= 0) & (v[1:] > 0))

    drives = jnp.array([0.01 * task.drive(i) for i in range(task.neurons)])
    compiled = jax.jit(jax.vmap(spikes)).lower(drives).compile()

    def run() -> tuple[float, int]:
        with Clock() as clock:
            counts = jax.block_until_ready(compiled(drives))
        return clock.seconds, int(counts.sum())

    serve("Jaxley", f"{jaxley.__version__}, jax {jax.__version__}", "backward Euler, gates exponential", task, run)


main(TASK)
