"""`expand-exact`: linear blocks become a product with numbers bound once."""

from __future__ import annotations

from birc.ir.expr import topo
from tests.conftest import Golden
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, bound, lowered, text_around

TEXT = """
neuron Cell:
    param tau = 10 ms, tau_s = 5 ms, sigma = 0.1 / sqrt(1 ms), t_ref = 1 ms
    state v = 0, s = 0
    input I: 1
    noise xi
    tau * v' = I + s - v
    s' = -s / tau_s + sigma * xi
    spike when v > 1: v = 0
    refractory t_ref: hold v
"""


def test_text(golden: Golden) -> None:
    text = text_around(TEXT, "expand-exact")
    golden.check("golden/passes/expand_exact.txt", text)


def test_closed_forms_where_there_are_some() -> None:
    """A chain of two is written out; only what goes around or through a third state needs a matrix."""
    matrices = {
        name: {e.op for d in lowered(model).bind for e in topo(d.value)} & {"propagator", "increment", "input_gain"}
        for name, model in (LIBRARY | SMALL).items()
    }
    assert not matrices["LIF"] and not matrices["LIFExp"] and not matrices["ornstein_uhlenbeck"]
    assert matrices["oscillator"] and matrices["LIFAlpha"] and matrices["defective"]


def test_equal_time_constants_need_no_difference() -> None:
    names = {d.name: d.value for d in lowered(LIBRARY["LIFAlpha"]).bind}
    assert "exprel" not in {e.op for e in topo(names[".P.i_exc.h_exc"])}


def test_constants_have_names_of_their_own() -> None:
    names = set(bound(lowered(SMALL["held_in_a_block"])))
    assert {".E.v", ".P.v.w", ".P.w.v", ".E.w", ".P.held.w.held.v", ".E.held.w"} <= names
