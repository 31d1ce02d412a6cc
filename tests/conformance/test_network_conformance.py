"""The conformance kit for networks: every row on every target that takes networks."""

from __future__ import annotations

import pytest

from birc.backends import Dtype, load_backend
from birc.backends.networks import BuildsNetworks, NetworkRunner, RunsNetworks
from birc.ir.connectivity.build import wire
from birc.verification.networks import interpreter
from tests.conformance.network_kit import NetworkCase, differences, program_of
from tests.conformance.network_rows import BY_NAME, NETWORKS
from tests.conformance.targets import need

TARGETS: tuple[tuple[str, Dtype], ...] = (("interpreter", "f64"), *((t, d) for d in ("f64", "f32") for t in ("numpy", "native")))
RUNS = [
    pytest.param(case, target, dtype, id=f"{case.name}-{target}-{dtype}")
    for target, dtype in TARGETS
    for case in NETWORKS
    if dtype == "f64" or case.exact
]


def runner(target: str, dtype: Dtype, case: NetworkCase) -> NetworkRunner:
    if target == "interpreter":
        return interpreter(dtype)
    backend = load_backend(target)
    assert isinstance(backend, RunsNetworks)
    assert backend.refuse_network(program_of(case), dtype) == ()
    return backend.load_network(backend.emit_network(program_of(case), dtype))


@pytest.mark.parametrize(("case", "target", "dtype"), RUNS)
def test_row(case: NetworkCase, target: str, dtype: Dtype) -> None:
    need(target)
    backend = load_backend(target) if target != "interpreter" else None
    builder = backend.builder() if isinstance(backend, BuildsNetworks) else wire
    assert differences(case, runner(target, dtype, case), dtype, builder) == []


def test_every_row_has_a_name() -> None:
    assert len(BY_NAME) == len(NETWORKS)
