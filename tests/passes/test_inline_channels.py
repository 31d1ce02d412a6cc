"""`inline-channels`: a channel's names, equations, functions and options come into the host."""

from __future__ import annotations

from birc.ir.model import Option
from tests.conftest import Golden
from tests.passes.programs import model_of, models_around, text_around

TEXT = """
channel Leak:
    param g = 0.3 mS/cm^2, E = -54 mV
    fn driving(v: mV) = v - E
    outward i = g * driving(v)

neuron Cell:
    param C = 1 uF/cm^2, E = -60 mV
    use Leak(E = E) as leak
    use Leak as other
    state v = -65 mV
    C * v' = -leak.i - other.i
"""


def test_text(golden: Golden) -> None:
    golden.check("golden/passes/inline_channels.txt", text_around(TEXT, "inline-channels"))


def test_an_argument_is_read_in_the_host() -> None:
    _, after = models_around(model_of(TEXT), "inline-channels")
    values = {p.name: p.value for p in after.params}
    assert repr(values["leak.E"]) == "%E"
    assert repr(values["other.E"]) == "-54.0"


def test_a_function_sees_the_channel_it_stands_in() -> None:
    _, after = models_around(model_of(TEXT), "inline-functions")
    assert [repr(x.value) for x in after.lets] == ["mul(%leak.g, sub(%v, %leak.E))", "mul(%other.g, sub(%v, %other.E))"]


GATED = """
channel K:
    gate n: inf = 1 / (1 + exp(-(v + 40 mV) / 10 mV))
            tau = 5 ms
    {option}
    outward i = 36 mS/cm^2 * n * (v + 77 mV)

neuron Cell:
    use K as k
    state v = -65 mV
    (1 uF/cm^2) * v' = -k.i
    {host}
"""


def options(option: str, host: str = "") -> list[tuple[str, tuple[str, ...]]]:
    """The solvers asked for behind the pass."""
    model = models_around(model_of(GATED.format(option=option, host=host)), "inline-channels")[1]
    return [(o.name, o.targets) for o in model.options if isinstance(o, Option)]


def test_an_option_of_a_channel_is_for_its_states() -> None:
    assert options("with solver rk4 on n") == [("rk4", ("k.n",))]
    assert options("with solver rk4") == [("rk4", ("k.n",))]


def test_the_host_has_the_last_word() -> None:
    text = GATED.format(option="with solver rk4", host="with solver euler on k.n")
    assert options("with solver rk4", "with solver euler on v") == [("rk4", ("k.n",)), ("euler", ("v",))]
    blocks = models_around(model_of(text.replace("on k.n", "")), "choose-solvers")[1].blocks
    assert {b.method for b in blocks} == {"euler"}


def test_nothing_to_do() -> None:
    before, after = models_around(model_of("neuron A:\n    state x = 1\n"), "inline-channels")
    assert after is before
