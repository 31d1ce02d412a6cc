"""Rules of the language, one by one: what each refuses, and what it must let pass. The messages stand in tests/errors."""

from __future__ import annotations

import pytest

from birc.errors import BircError, Diagnostic, Source
from birc.frontend.load import load_partial
from birc.frontend.quantity import parse_call, parse_quantity
from birc.units import ONE, Unit, parse_unit


def diagnostics(body: str) -> tuple[Diagnostic, ...]:
    return load_partial(Source("test.birc", body))[1]


def codes(*lines: str, kind: str = "neuron A", before: str = "") -> list[str]:
    """The codes of the errors in an item made of these lines."""
    body = f"{before}{kind}:\n" + "".join(f"    {line}\n" for line in lines)
    return [d.code for d in diagnostics(body) if d.severity == "error"]


V = "state v = -65 mV"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("let a = v + 5 mV", []),
        ("let a = v + 0.005 V", []),
        ("let a = v + 5", ["U102"]),
        ("let a = min(v, inf)", []),
        ("let a = v < inf", []),
        ("let a = v == -inf", []),
        ("let a = -inf", ["M110"]),
        ("let a = exp(v / 10 mV)", []),
        ("let a = exp(v / 0.01 V)", []),
        ("let a = abs(v) + max(v, 0 mV)", []),
        ("let a = sqrt(v^2) + v", []),
        ("let a = (v^3)^(1/3) + v", []),
        ("let a = v^0.5 * v^0.5 + v", []),
        ("let a = v^-1 * v + 1", []),
        ("let a = 2^(v / 1 mV)", []),
        ("let a = v^(1 + 1)", ["U105"]),
        ("let a = heaviside(v) + 1", []),
        ("let a = if v > 0 mV then v else -v", []),
        ("let a = if true then v else 1", ["U102"]),
        ("let a = if true then true else false", []),
        ("let a = if true then true else v", ["U106"]),
        ("let a = v > 0 mV == true", ["S012"]),
        ("let a = (v > 0 mV) == true", []),
        ("let a = not v", ["U106"]),
        ("let a = -(v > 0 mV)", ["U106"]),
        ("let a = pi * e * v + v", []),
        ("let a = floor(v)", ["U104"]),
        ("let a = sin(1)", []),
        ("let a = 20 degC", []),
        ("let a = 20 degC - 10 K", ["U108"]),
        ("let a = elapsed + 1 ms", []),
        ("let a = 5 mV*ms^-1 * 1 ms + v", []),
        ("let a = 'x'", ["S001"]),
    ],
)
def test_expressions(line: str, expected: list[str]) -> None:
    found = codes(V, line)
    assert [c[0] for c in found] == ["S"] if expected and expected[0][0] == "S" else found == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["v' = 1 mV/ms"], []),
        (["v' = 1 V/s"], []),
        (["v' = 1 mV"], ["U103"]),
        (["param C = 1 pF", "input I: pA", "C * v' = I"], []),
        (["param C = 1 pF", "input I: nA", "C * v' = I"], []),
        (["param C = 1 pF, g = 1 nS", "C / g * v' = -v"], []),
        (["v' = if v > 0 mV then 1 else 2"], ["U103"]),
        (["v' = v > 0 mV"], ["U106"]),
        (["v' = inf"], []),
        (["0 * v' = 1 mV/ms"], ["M111"]),
        (["-1 ms * v' = v"], ["M111"]),
        (["param a = 5 ms, b = 5 ms", "(a - b) * v' = v"], ["M111"]),
        (["param tau = 5 ms", "tau * v' = v", "preset P: tau = 0 ms"], ["M111"]),
        (["param a = 1 ms", "param tau = 2 * a", "tau * v' = v", "preset P: a = -1 ms"], []),
        (["noise xi", "v' = xi * 1 mV/ms^0.5"], ["S001"]),
        (["param s = 1 mV", "noise xi", "v' = s * xi / sqrt(1 ms)"], []),
        (["param s = 1 mV", "noise xi", "v' = if v > 0 mV then s * xi / sqrt(1 ms) else 0 mV/ms"], []),
        (["param s = 1 mV", "noise xi", "v' = s / (xi * 1 ms) / sqrt(1 ms)"], ["M115"]),
        (["param s = 1 mV", "noise xi, eta", "v' = s * xi * eta"], ["M115"]),
        (["param s = 1 mV", "noise xi", "v' = v * s / 1 mV * xi / sqrt(1 ms)"], []),
    ],
)
def test_equations(lines: list[str], expected: list[str]) -> None:
    found = codes(V, *lines)
    assert [c[0] for c in found] == ["S"] if expected and expected[0][0] == "S" else found == expected


def test_a_prime_on_the_right_of_a_higher_order() -> None:
    assert codes("state x = 1, x' = 0 ms^-1", "x'' = -x / 1 ms^2 - x' / 1 ms") == []
    assert codes("state x = 1, x' = 0 ms^-1", "x'' = -x'' - x' / 1 ms") == ["M105"]
    assert codes("state x = 1", "x' = -x' + 1 ms^-1") == ["M105"]


def test_names_may_be_those_of_other_places() -> None:
    names = ["alpha", "beta", "tau", "pre", "post", "axon", "dend", "w", "p", "m", "h", "s", "of", "every", "rate", "count", "path"]
    params = ", ".join(f"{n} = 1" for n in names)
    lets = " + ".join(names)
    assert codes(f"param {params}", "state x = 1", f"x' = ({lets}) / 1 ms") == []


def test_the_arguments_of_a_function_hide_the_names_of_the_model() -> None:
    assert codes(V, "fn f(v: mV) = 2 * v", "v' = f(v) / 1 ms") == []


def test_equations_read_inputs_lets_and_members() -> None:
    assert codes("input I: mV/ms", "let drive_in = 2 * I", V, "v' = drive_in") == []


@pytest.mark.parametrize("kind", ["neuron", "astrocyte", "channel", "synapse"])
def test_every_kind_has_parameters_and_states(kind: str) -> None:
    lines = ["param tau = 1 ms", "state x = 0", "tau * x' = -x"]
    lines += ["on pre: send x"] if kind == "synapse" else []
    assert codes(*lines, kind=f"{kind} A") == []


def test_broken_declarations_cause_no_further_errors() -> None:
    assert codes("param tau = 20 msec, E = tau", "state v = E", "tau * v' = E - v", "let a = v + 1 mV") == ["U101"]
    assert codes("input I: foo", V, "v' = I", "spike when I > v") == ["U101"]
    assert codes("use Kx as k", V, "v' = k.i + k.j") == ["N108"]
    assert codes("let a = b", "let b = a", V, "v' = a + b + 3 pA") == ["N116"]


def test_what_a_broken_line_declares_is_forgiven() -> None:
    assert [c[0] for c in codes("state v == 0 mV", "v' = -v / 1 ms", "spike when v > 1 mV: v = 0 mV")] == ["S"]
    assert [c[0] for c in codes("spike v > 1 mV", V, "refractory 1 ms: hold v")] == ["S"]


CHECK = """neuron A:
    input  I: mV/ms
    param  p = 1 mV/ms
    state  v = 0 mV
    v' = p * I / (1 mV/ms)
    spike when v > 1 mV: v = 0 mV
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("expect count == 3", []),
        ("expect isi == 1 ms within 1 step", []),
        ("expect isi == 1 mV within 1 step", ["U102"]),
        ("expect isi == 1 ms within 1 mV", ["U103"]),
        ("expect isi == 1 ms within 1 ms step", ["U103"]),
        ("expect rate in [1 Hz, 2 kHz]", []),
        ("expect rate in [1 Hz, 2 mV]", ["U103"]),
        ("expect rate in [2 Hz, 1 Hz]", ["M109"]),
        ("expect v in (-inf, 1 mV] always", []),
        ("expect v > 0 mV", []),
        ("expect v", ["U106"]),
        ("expect w > 0", ["N101"]),
        ("expect count == 2 * p", ["U102"]),
    ],
)
def test_expectations(line: str, expected: list[str]) -> None:
    assert codes("drive I = 1 mV/ms for 1 ms", line, kind="check A", before=CHECK) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("drive I = p for 1 ms", []),
        ("drive I = 1 mV for 1 ms", ["U107"]),
        ("drive I = 1 mV/ms for 1 mV", ["U103"]),
        ("drive I = 1 mV/ms for 0 ms", ["M111"]),
        ("drive J = 1 mV/ms for 1 ms", ["N118"]),
        ("drive v = 1 mV for 1 ms", ["N118"]),
    ],
)
def test_drives(line: str, expected: list[str]) -> None:
    assert codes(line, "expect count == 0", kind="check A", before=CHECK) == expected


NETWORK = """from birc use LIF
synapse S:
    param  g = 1 in [0, 1]
    state  w = 1 pA
    input  DA: 1
    w' = DA * 1 pA/ms
    on pre: send g * w
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("project E -> I.exc: w = 1 nA, all_to_all", []),
        ("project E -> I.exc: w = uniform(1 pA, 2 pA), random(0.1)", []),
        ('project E -> I.exc: w = "w.npy", from file "e.npz"', []),
        ("project E -> I.exc: w = uniform(1 pA, 2 mV), random(0.1)", ["U102"]),
        ("project E -> I.exc: w = 1 pA, random(p = 1.5)", ["M108"]),
        ("project E -> I.exc: w = 1 pA, fixed_indegree(k = 1.5)", ["M108"]),
        ("project E -> I.exc: w = 1 pA, fixed_indegree(k = 11)", ["M134"]),
        ("project E -> E.exc: w = 1 pA, fixed_indegree(k = 10), self, axon = 1 ms", []),
        ("project E[0:5] -> E[5:10].exc: w = 1 pA, fixed_indegree(k = 5), axon = 1 ms", []),
        ("project E[0:5] -> E[4:10].exc: w = 1 pA, fixed_indegree(k = 5), axon = 1 ms", ["M134"]),
        ("project E[0:5] -> E[4:10].exc: w = 1 pA, fixed_total(n = 29), axon = 1 ms", []),
        ("project E[0:5] -> E[4:10].exc: w = 1 pA, fixed_total(n = 30), axon = 1 ms", ["M134"]),
        ("project E -> I.exc: w = 1 pA, fixed_indegree(k = 11), multapses", []),
        ("project E -> I.exc: w = 1 pA, fixed_outdegree(k = 11), multapses", []),
        ("project E -> I.exc: w = 1 pA, fixed_total(n = 1000), multapses", []),
        ("project E[0:1] -> E[0:1].exc: w = 1 pA, fixed_total(n = 1), multapses, axon = 1 ms", ["M134"]),
        ("project E -> I.exc: w = 1 pA, random(p = 0.1), multapses", ["M134"]),
        ("project E -> E.exc: w = 1 pA, one_to_one, axon = 1 ms", ["M134"]),
        ("project E -> E.exc: w = 1 pA, one_to_one, self, axon = 1 ms", []),
        ("project E -> I.exc: S, all_to_all", []),
        ("project E -> I.exc: S(DA = DA, w = 3 pA, g = 0.5), all_to_all", []),
        ("project E -> I.exc: S(DA = DB), all_to_all", ["N118"]),
        ("project E -> I.exc: S(g = 2), all_to_all", ["M108"]),
        ("project E -> I.exc: S(g = uniform(0, 2)), all_to_all", ["M108"]),
        ("project E -> I.exc: S, all_to_all, one_to_one", ["M129"]),
        ("project E -> I.exc: w = 1 pA, all_to_all, axon = -1 ms", ["M111"]),
        ("project E -> I.exc: w = 1 pA, all_to_all, axon = uniform(-1 ms, 1 ms)", ["M111"]),
        ("project E -> I.exc: w = 1 pA, all_to_all, axon = 1 mV", ["U107"]),
        ("project E -> DA: w = 0.1, all_to_all", []),
        ("project E -> DA: w = 1 mV, all_to_all", []),
        ("project E[0:5] -> I[5:10].exc: w = 1 pA, one_to_one", []),
        ("project E[5:5] -> I.exc: w = 1 pA, all_to_all", ["M128"]),
        ("project E -> E.exc: w = 1 pA, all_to_all", ["M135"]),
        ("project E -> E.exc: w = 1 pA, all_to_all, dend = 1 ms", []),
        ("project E.v -> I.I: one_to_one", ["U107"]),
        ("project E.v -> I.I: one_to_one, w = 1 nS, lag = 0", []),
        ("record E.spikes, E.v, DA every 1 ms", []),
        ("record E.v every 0 ms", ["M111"]),
        ("record E", ["N118"]),
        ("source bg: poisson(rate = -1 Hz)[10]", ["M108"]),
        ("source bg: poison(rate = 1 Hz)[10]", ["N104"]),
        ("source bg: regular(rate = 1 Hz, start = 1 mV)[10]", ["U107"]),
        ("source c: current_noise(mean = 1 pA, sd = 1 mV)[10]", ["U107"]),
        ("signal X: tau = 0 ms", ["M111"]),
        ("third E -> I.exc via I.exc: p = 0.5, w = 1 pA", ["N118"]),
    ],
)
def test_networks(line: str, expected: list[str]) -> None:
    lines = ["population E: LIF[10]", "population I: LIF(tau_m = 10 ms, v = uniform(-60 mV, -50 mV))[10]", "signal DA: tau = 200 ms"]
    assert codes(*lines, line, kind="network N", before=NETWORK) == expected


def test_the_unit_of_a_signal_is_that_of_its_weight() -> None:
    lines = ["population E: LIF[10]", "signal DA: tau = 200 ms"]
    raised = "project E -> DA: w = 1 mV, all_to_all"
    assert codes(*lines, "project E -> E.exc: S(DA = DA), all_to_all, axon = 1 ms", raised, kind="network N", before=NETWORK) == ["U107"]
    assert codes(*lines, raised, "project E -> DA: w = 1 pA, all_to_all", kind="network N", before=NETWORK) == ["U107"]


# --- quantities on the command line


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("250 pA", "pA", 250.0),
        ("0.25 nA", "pA", 250.0),
        ("2 * 5 ms", "ms", 10.0),
        ("-70 mV + 0.01 V", "mV", -60.0),
        ("3", "1", 3.0),
        ("log(e^2)", "1", 2.0),
        ("20 degC", "K", 293.15),
        ("inf", "ms", float("inf")),
        ("max(1 ms, 2 ms)", "ms", 2.0),
    ],
)
def test_quantities(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, parse_unit(unit)) == value


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("250", parse_unit("pA"), "U112"),
        ("250 mV", parse_unit("pA"), "U112"),
        ("250 pX", parse_unit("pA"), "U101"),
        ("x", ONE, "N101"),
        ("true", ONE, "U106"),
        ("f(2)", ONE, "N104"),
        ("1e999 ms", parse_unit("ms"), "S004"),
    ],
)
def test_wrong_quantities(text: str, unit: Unit, code: str) -> None:
    with pytest.raises(BircError) as caught:
        parse_quantity(text, unit, "--input I")
    assert caught.value.code == code
    assert "--input I:1:" in str(caught.value)


def test_calls_on_the_command_line() -> None:
    found = parse_call("poisson(2 kHz, weight = 40 pA)")
    assert found is not None
    name, args, keywords = found
    assert (name, len(args), [k.name for k in keywords]) == ("poisson", 1, ["weight"])
    assert parse_call("250 pA") is None
