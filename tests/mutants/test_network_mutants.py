"""Every wrong rule of a network is reported by the conformance kit and by the verification of networks, which says what differs first."""

from __future__ import annotations

import pytest

from birc.backends import load_backend
from birc.backends.networks import RunsNetworks
from birc.verification.networks import verify_network
from tests.conformance.network_kit import differences, program_of
from tests.conformance.network_rows import BY_NAME
from tests.conformance.targets import need
from tests.mutants.network_mutants import LOOP, LOWERING, TEXTS, WIRING, NetworkMutant
from tests.mutants.wrong_networks import WrongNetworks

MUTANTS = (*LOOP, *LOWERING, *TEXTS, *WIRING)


def wrong(mutant: NetworkMutant) -> WrongNetworks:
    return WrongNetworks(load_backend(mutant.target), mutant.change, mutant.rewrite, mutant.rebuild)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_kit_reports(mutant: NetworkMutant) -> None:
    need(mutant.target)
    case, target, true = BY_NAME[mutant.row], wrong(mutant), load_backend(mutant.target)
    assert isinstance(true, RunsNetworks)
    program = program_of(case)
    assert differences(case, true.load_network(true.emit_network(program, "f64"))) == []
    assert differences(case, target.load_network(target.emit_network(program, "f64")), builder=target.builder()) != []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_verification_reports(mutant: NetworkMutant) -> None:
    need(mutant.target)
    case = BY_NAME[mutant.row]
    report = verify_network(program_of(case), wrong(mutant), h=case.h, dtype="f64", steps=case.steps, seed=1, dt="1 ms")  # type: ignore[arg-type]
    assert report.status == "fail"
    assert mutant.says in (report.variable, report.reason), (report.reason, report.detail)


def test_there_are_enough() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
