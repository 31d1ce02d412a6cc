"""A network counts as verified only as far as it was exercised."""

from __future__ import annotations

from birc.backends import load_backend
from birc.verification import verify_network
from tests.networks.written import RELAY, compiled

TEXT = (
    RELAY
    + """
network N:
    population A: Relay[2]
    source s: regular(rate = 0.1 kHz)[2]
    source late: regular(rate = 0.01 kHz)[2]
    project s -> A.exc: w = 1, one_to_one, axon = 1 ms
    project late -> A.exc: w = 1, one_to_one, axon = 1 ms
"""
)


def test_a_source_that_was_never_heard_is_told() -> None:
    program, numpy = compiled(TEXT).program, load_backend("numpy")
    short = verify_network(program, numpy, h=1.0, dtype="f64", steps=50, seed=1, dt="1 ms")
    assert (short.status, short.level, short.unreached) == ("not exercised", "", ("events of late",))
    long = verify_network(program, numpy, h=1.0, dtype="f64", steps=120, seed=1, dt="1 ms")
    assert (long.status, long.level, long.unreached) == ("pass", "L0", ())
