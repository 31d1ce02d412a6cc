"""From text to the model IR: what each statement becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc.errors import BircError, Source
from birc.frontend.load import load, load_partial
from birc.frontend.read import read_source
from birc.ir import text
from birc.ir.expr import Expr, const, op, var
from birc.ir.model import Cell, Model, Module, Network, Range

EXAMPLES = Path(__file__).parent / "examples"
IMPORTS = {"ball_and_stick.birc": "from birc use Na, K, Leak\n"}


def module_of(body: str) -> Module:
    return load(Source("test.birc", body))


def model_of(body: str) -> Model:
    item = module_of(body).items[-1]
    assert isinstance(item, Model)
    return item


def neuron(*lines: str) -> Model:
    return model_of("neuron A:\n" + "".join(f"    {line}\n" for line in lines))


def ode(model: Model, state: str) -> Expr:
    return next(o.rhs for o in model.odes if o.state == state)


# --- declarations


def test_parameters_are_in_internal_units_and_remember_theirs() -> None:
    model = neuron("param R = 100 Mohm, f = 10 Hz in (0 Hz, inf) learn, q = 2 * R", "state v = -65 mV", "v' = R * f * q / q * 1 pA")
    r, f, q = model.params
    assert (r.value, r.unit.text) == (const(0.1), "Mohm")
    assert (f.value, f.unit.text, f.learn) == (const(0.01), "Hz", True)
    assert f.range == Range(0.0, float("inf"), low_closed=False, high_closed=False)
    assert (q.value, q.unit.text) == (op("mul", const(2.0), var("R")), "Gohm")


def test_conversion_is_exact_and_automatic() -> None:
    model = neuron("state i = 1 nA + 5 pA", "state v = 0.3 V", "state T = 20 degC")
    assert model.states[0].init == op("add", const(1000.0), const(5.0))
    assert model.states[1].init == const(300.0)
    assert (model.states[2].init, model.states[2].unit.text) == (const(293.15), "K")


def test_a_negative_literal_is_one_constant() -> None:
    assert neuron("state v = -65 mV").states[0].init == const(-65.0)


def test_state_limits() -> None:
    model = neuron("state w = 1 pA in [0 pA, 5 pA], x = 0 in [-inf, 1]")
    assert [(s.low, s.high) for s in model.states] == [(const(0.0), const(5.0)), (None, const(1.0))]


def test_limits_may_be_expressions_of_parameters() -> None:
    model = neuron("param top = 5 mV", "let most = 2 * top", "state w = 1 mV in [0 mV, most]", "on exc(x: mV): w += x")
    assert (model.states[0].low, model.states[0].high) == (const(0.0), op("mul", const(2.0), var("top")))
    update = model.handlers[0].body[0]
    assert update.value == op("add", var("w"), var("x"))


def test_an_initial_value_stands_without_lets() -> None:
    model = neuron("param a = 2", "let b = 3 * a", "let c = b + 1", "state x = c * 1 mV", "x' = -x / 1 ms")
    assert model.states[0].init == op("mul", op("add", op("mul", const(3.0), var("a")), const(1.0)), const(1.0))


def test_declarations_keep_the_order_of_the_text() -> None:
    model = neuron("param b = a, a = 1", "let y = x", "let x = s", "state t = s, s = b", "t' = -y / 1 ms")
    assert [p.name for p in model.params] == ["b", "a"]
    assert [x.name for x in model.lets] == ["y", "x"]
    assert [s.name for s in model.states] == ["t", "s"]


def test_the_constant_e_can_be_hidden() -> None:
    assert neuron("state x = e", "x' = -x / 1 ms").states[0].init.attr == pytest.approx(2.718281828459045)
    assert neuron("param e = 2", "state x = e", "x' = -x / 1 ms").states[0].init == var("e")


def test_functions_become_calls() -> None:
    model = neuron("param k = 2", "fn f(x: mV, y: 1) = k * x * y", "state v = 1 mV", "v' = f(v, 2) / 1 ms")
    (function,) = model.functions
    assert [(name, unit.text) for name, unit in function.parameters] == [("x", "mV"), ("y", "1")]
    assert function.unit.text == "mV"
    call = ode(model, "v").args[0]
    assert (call.op, call.attr, call.args) == ("call", "f", (var("v"), const(2.0)))


# --- equations


def test_the_factor_of_a_derivative_divides() -> None:
    model = neuron("param tau = 10 ms", "state v = 0 mV", "tau * v' = -v")
    assert ode(model, "v") == op("div", op("neg", var("v")), var("tau"))


def test_second_order() -> None:
    model = neuron("param w = 1 ms^-1", "state x = 1 mV, x' = 0 mV/ms", "x'' = -w^2 * x - w * x'", "spike when x > 1 mV: x' += 1 V/s")
    assert [s.name for s in model.states] == ["x", "x'"]
    assert ode(model, "x") == var("x'")
    assert ode(model, "x'") == op("sub", op("mul", op("neg", op("pow", var("w"), const(2.0))), var("x")), op("mul", var("w"), var("x'")))
    assert model.spike is not None
    assert model.spike.body[0].target == "x'"


def test_gates_by_rates_and_by_time_constant() -> None:
    model = neuron(
        "state v = -65 mV", "gate m: alpha = exp(v / 10 mV) / 1 ms", "        beta = 2 ms^-1", "gate h: inf = 0.5", "        tau = 3 ms"
    )
    m, h = model.states[1:]
    alpha, beta = op("div", op("exp", op("div", var("v"), const(10.0))), const(1.0)), const(2.0)
    assert m.gate
    assert m.init == op("div", alpha, op("add", alpha, beta))
    assert ode(model, "m") == op("sub", op("mul", alpha, op("sub", const(1.0), var("m"))), op("mul", beta, var("m")))
    assert h.init == const(0.5)
    assert ode(model, "h") == op("div", op("sub", const(0.5), var("h")), const(3.0))


def test_powers() -> None:
    model = neuron("param a = 4 mV", "let b = a^(1/2)", "let c = a^-1", "let d = sqrt(a)", "state x = 1", "x' = b * d * c / 1 ms")
    assert model.lets[0].unit.dimension == model.lets[2].unit.dimension
    assert model.lets[0].value == op("pow", var("a"), const(0.5))
    assert model.lets[1].unit.text == "mV^-1"


def test_noise_has_the_unit_of_one_over_a_root_of_time() -> None:
    model = neuron("param tau = 10 ms, s = 1 mV", "state v = 0 mV", "noise xi", "tau * v' = -v + s * sqrt(tau) * xi")
    assert [n.name for n in model.noises] == ["xi"]


# --- events


def test_compound_assignments_are_spelled_out() -> None:
    model = neuron("state v = 1 mV", "on exc(w: mV):", "    v += w", "    v -= w", "    v *= 2", "    v /= 2")
    values = [update.value for update in model.handlers[0].body]
    assert values == [
        op("add", var("v"), var("w")),
        op("sub", var("v"), var("w")),
        op("mul", var("v"), const(2.0)),
        op("div", var("v"), const(2.0)),
    ]


def test_spike_and_refractory() -> None:
    model = neuron(
        "param t = 2 ms",
        "let twice = 2 * t",
        "state v = 0 mV, w = 0",
        "v' = 1 mV/ms",
        "spike on rise v > 0 mV",
        "refractory twice: hold v, w",
    )
    assert model.spike is not None
    assert (model.spike.mode, model.spike.body) == ("rise", ())
    assert model.refractory is not None
    assert model.refractory.duration == op("mul", const(2.0), var("t"))
    assert model.refractory.hold == ("v", "w")


# --- extension and channels


BASE = """
neuron A:
    param  tau = 10 ms in (0 ms, inf) learn, v_th = 1 mV
    state  v = 0 mV
    tau * v' = -v
    spike when v >= v_th: v = 0 mV
    preset FAST: tau = 1 ms
"""


def test_extension_replaces_in_place() -> None:
    model = model_of(BASE + "neuron B extends A:\n    param tau = 20 ms, k = 2\n    spike when v >= k * v_th: v = -1 mV\n    state w = 0\n")
    assert [p.name for p in model.params] == ["tau", "v_th", "k"]
    assert model.params[0].value == const(20.0)
    assert model.params[0].learn
    assert model.params[0].range is not None
    assert [s.name for s in model.states] == ["v", "w"]
    assert model.spike is not None
    assert model.spike.body[0].value == const(-1.0)
    assert [p.name for p in model.presets] == ["FAST"]


def test_extension_of_a_library_model() -> None:
    model = model_of("from birc use LIF\nneuron B extends LIF:\n    param tau_m = 5 ms\n")
    assert model.params[0].value == const(5.0)
    assert {p.name for p in model.params} > {"tau_m", "E_L"}


def test_channels() -> None:
    module = module_of(
        "channel K:\n    param g = 36 mS/cm^2\n    outward i = g * (v + 77 mV)\n"
        "neuron A:\n    param C = 1 uF/cm^2, gk = 10 mS/cm^2\n    use K(g = gk) as k, K\n    state v = -65 mV\n    C * v' = -k.i - K.i\n"
    )
    channel, model = module.items
    assert isinstance(channel, Model)
    assert isinstance(model, Model)
    assert channel.lets[0].outward
    assert [(u.alias, u.channel.name, u.arguments) for u in model.uses] == [("k", "K", (("g", var("gk")),)), ("K", "K", ())]
    assert ode(model, "v").args[0] == op("sub", op("neg", var("k.i")), var("K.i"))


# --- cells, networks, checks


def test_cell() -> None:
    source = read_source(EXAMPLES / "ball_and_stick.birc")
    (cell,) = load(Source(source.name, f"from birc use Na, K, Leak\n{source.text}")).items
    assert isinstance(cell, Cell)
    assert [(s.name, s.parent, s.position) for s in cell.sections] == [("soma", None, None), ("dend", "soma", 1.0)]
    assert [(i.alias, i.regions) for i in cell.inserts] == [("Na", ("soma",)), ("K", ("soma",)), ("Leak", ()), ("K", ("dend",))]
    assert "path" in repr(cell.inserts[-1].arguments)


def everything() -> str:
    names = ("lif", "li_rinzel", "tsodyks_markram", "reward_stdp", "cortex")
    return "".join((EXAMPLES / f"{name}.birc").read_text("utf-8") + "\n" for name in names)


def test_network() -> None:
    network = module_of(everything()).items[-1]
    assert isinstance(network, Network)
    assert [m.name for m in network.models] == ["LIF", "LiRinzel", "RewardSTDP", "TsodyksMarkram"]
    assert [(p.name, p.model, p.count) for p in network.populations] == [("E", "LIF", 800), ("I", "LIF", 200), ("G", "LiRinzel", 100)]
    first, second = network.projections[:2]
    assert (first.synapse, first.rule, dict(first.properties)["w"]) == (None, "one_to_one", const(40.0))
    assert (second.synapse, second.arguments) == ("RewardSTDP", (("DA", var("DA")),))
    assert second.rule_arguments == (("p", const(0.1)),)
    assert dict(second.properties)["axon"].op == "uniform"
    assert network.records[1].what.stop == 5


def test_check() -> None:
    (check,) = module_of(everything()).checks
    assert (check.model, check.drives[0].port, check.drives[0].value) == ("LIF", "I", const(250.0))
    isi, v = check.expects
    assert (isi.in_steps, isi.tolerance, isi.actual) == (True, const(1.0), var("isi"))
    assert (v.always, v.low, v.high) == (True, const(-80.0), const(-50.0))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.birc")), ids=lambda p: p.stem)
def test_every_example_builds_and_its_text_reads_back(path: Path) -> None:
    body = everything() if path.stem == "cortex" else IMPORTS.get(path.name, "") + path.read_text("utf-8")
    module = module_of(body)
    for item in (*module.items, *module.checks):
        assert text.parse(text.print_model(item)) == (item,)


# --- bounds and warnings


def test_a_chain_of_lets_that_doubles_each_time_is_no_larger_than_its_text() -> None:
    lines = [f"let a{i} = a{i - 1} + a{i - 1}" for i in range(1, 5000)]
    model = neuron("state v = 1", "let a0 = v", *reversed(lines), "v' = a4999 / 1 ms")
    assert len(model.lets) == 5000


def test_a_long_chain_in_an_initial_value() -> None:
    lines = [f"let a{i} = a{i - 1} + a{i - 1}" for i in range(1, 1000)]
    model = neuron("param a0 = 1", *lines, "state v = a999 * 1e-300", "v' = -v / 1 ms")
    assert model.states[0].init.op == "mul"


def test_thousands_of_mistakes_are_reported_in_bounded_time() -> None:
    body = "".join(f"    let a{i} = wrong{i}\n" for i in range(3000))
    with pytest.raises(BircError) as caught:
        module_of(f"neuron A:\n    state v = 0\n{body}")
    assert len(caught.value.diagnostics) == 3000


def test_what_is_never_used_is_a_warning() -> None:
    module, warnings = load_partial(Source("a.birc", "neuron A:\n    param p = 1, q = 2\n    state v = 0\n    v' = -v / (p * 1 ms)\n"))
    assert module is not None
    assert [(w.code, w.severity, w.message) for w in warnings] == [("M201", "warning", "the parameter `q` is never used")]


def test_no_warnings_beside_errors() -> None:
    module, diagnostics = load_partial(Source("a.birc", "neuron A:\n    param q = 2\n    state v = x\n"))
    assert module is None
    assert [d.code for d in diagnostics] == ["N101"]


def test_a_check_may_be_about_an_imported_model() -> None:
    """It then stands before the file's own items, so that the module is whole."""
    text = "from birc use LIF\n\nneuron A:\n    state v = 0\n\ncheck LIF:\n    drive I = 1 pA for 1 ms\n    expect count == 0\n"
    module = load(Source("a.birc", text))
    assert [i.name for i in module.items] == ["LIF", "A"]
    assert [c.model for c in module.checks] == ["LIF"]
