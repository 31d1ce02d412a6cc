"""Each invariant is broken once, by one change to a sound program, and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from birc.ir.check import InvariantError, check_model, check_step
from birc.ir.check_model import MODEL_INVARIANTS
from birc.ir.check_step import FINAL_INVARIANTS, STEP_INVARIANTS
from birc.ir.expr import Expr, const, make, op, value, var
from birc.ir.model import Block, Guard, Handler, Let, Model, Noise, Ode, Option, Param, Preset, Send, Spike, State, StepRule, Update, Use
from birc.ir.step import Carry, Define, Deliver, Emit, Integrate, Lookup, Phase, PhaseName, Port, Put, Slot, Statement, Step, Store, Table
from birc.units import parse_unit

one, ms = parse_unit("1"), parse_unit("ms")

LEAK = Model("Leak", "channel", params=(Param("g", one, const(0.1)),), lets=(Let("i", one, op("mul", var("g"), var("v")), outward=True),))
MODEL = Model(
    "M",
    "neuron",
    params=(Param("tau", ms, const(20.0)), Param("b", one, const(1.0))),
    states=(State("v", one, const(0.0)), State("u", one, op("mul", var("b"), var("v")))),
    lets=(Let("m", one, op("neg", var("v"))),),
    uses=(Use(LEAK, "leak", (("g", const(0.2)),)),),
    odes=(Ode("v", op("sub", op("div", var("m"), var("tau")), var("leak.i"))), Ode("u", op("neg", var("u")))),
    handlers=(Handler("exc", "w", one, (Update("v", op("add", var("v"), var("w"))),)),),
    spike=Spike("level", op("gt", var("v"), const(1.0)), (Update("v", const(0.0)),)),
    presets=(Preset("P", (("b", const(2.0)),)),),
    blocks=(Block(("v",), "nonlinear"), Block(("u",), "constant")),
)

h, v = value(".h"), value("v")
STEP = Step(
    "S",
    params=(Param("tau", ms, const(20.0)),),
    slots=(Slot("v", "real", one, ".v0"), Slot("refractory", "int", one, ".r0")),
    inputs=(Port("I", one),),
    events=(Port("exc", one),),
    outputs=(Port("y", one),),
    noises=(),
    bind=(
        Define(".h", make("step_size")),
        Define("tau", make("param", (), "tau")),
        Define(".P", make("propagator", (h, op("neg", value("tau"))), "1,0,0")),
        Define(".n", op("steps", value("tau"), h)),
        Define(".v0", const(0.0)),
        Define(".r0", const(0)),
    ),
    phases=(
        Phase("input", (Define("I", make("read", (), "I")),)),
        Phase(
            "flow",
            (
                Define("v", make("load", (), "v")),
                Define(".busy", op("gt", make("load", (), "refractory"), const(0))),
                Define("v.1", op("add", op("mul", value(".P"), v), value("I"))),
            ),
        ),
        Phase(
            "deliver",
            (
                Deliver(
                    "exc",
                    "w",
                    False,
                    (Define("v.3", op("mul", value("v.2"), value("w"))),),
                    (Carry("v.2", value("v.1"), value("v.3"), "v.4"),),
                ),
            ),
        ),
        Phase("test", (Define(".fired", op("and", op("gt", value("v.4"), const(1.0)), op("not", value(".busy")))),)),
        Phase("reset", (Store("v", value("v.4")), Store("refractory", op("select", value(".fired"), value(".n"), const(0))))),
        Phase("emit", (Emit(value(".fired")),)),
        Phase("record", (Put("y", value("v.4")),)),
    ),
)


def with_body(name: PhaseName, *more: Statement) -> Step:
    """The step with more statements at the end of a phase."""
    return replace(STEP, phases=tuple(replace(p, body=(*p.body, *more)) if p.name == name else p for p in STEP.phases))


def with_bind(name: str, e: Expr) -> Step:
    """The step with one more bind value."""
    return replace(STEP, bind=(*STEP.bind, Define(name, e)))


def integrate(**fields: object) -> Step:
    sound = Integrate("rk4", ("v",), (v,), (op("neg", v),), ("v.9",))
    return with_body("flow", replace(sound, **fields))  # type: ignore[arg-type]


TABLE = Table("v.t0", "v", -1.0, 1.0, 1e-6, (op("exp", make("load", (), "v")),))


def looked_up(**fields: object) -> Step:
    """The step with a table and a look-up of it."""
    lookup = replace(Lookup("v.t0", make("load", (), "v"), ("e",)), **fields)  # type: ignore[arg-type]
    return replace(with_body("flow", lookup), tables=(TABLE,))


def tabled(**fields: object) -> Step:
    """The step with a table that nothing looks up."""
    return replace(STEP, tables=(replace(TABLE, **fields),))  # type: ignore[arg-type]


def test_sound_programs_pass() -> None:
    check_step(looked_up(), final=True)
    check_model(MODEL)
    check_step(STEP, final=True)
    check_step(integrate())


NEG_BOOL = op("neg", op("gt", var("v"), const(0.0)))

MODELS: list[tuple[str, str, Model]] = [
    ("names_are_declared_once", "name `v` 2 times", replace(MODEL, noises=(Noise("v"),))),
    ("names_are_declared_once", "handler of `exc` 2 times", replace(MODEL, handlers=MODEL.handlers * 2)),
    ("expressions_are_well_formed", "`neg` with 2 arguments", replace(MODEL, lets=(Let("m", one, make("neg", (var("v"), var("v")))),))),
    ("expressions_are_well_formed", "op `load` does not belong here", replace(MODEL, lets=(Let("m", one, make("load", (), "v")),))),
    ("expressions_are_well_formed", "literal 'x' is no plain number", replace(MODEL, lets=(Let("m", one, make("const", (), "x")),))),
    ("expressions_are_well_formed", "a condition as argument of `neg`", replace(MODEL, lets=(Let("m", one, NEG_BOOL),))),
    ("expressions_are_well_formed", "spike is real", replace(MODEL, spike=Spike("rise", var("v"), ()))),
    (
        "expressions_are_well_formed",
        "ode u is a condition",
        replace(MODEL, odes=(MODEL.odes[0], Ode("u", op("gt", var("u"), const(0.0))))),
    ),
    (
        "expressions_are_well_formed",
        "a call of `f` with 1 arguments",
        replace(MODEL, lets=(Let("m", one, make("call", (var("v"),), "f")),)),
    ),
    ("names_are_known", "`x` in let m", replace(MODEL, lets=(Let("m", one, var("x")),))),
    ("names_are_known", "`w` in let m", replace(MODEL, lets=(Let("m", one, var("w")),))),
    ("every_ode_has_a_state", "no state `x`", replace(MODEL, odes=(*MODEL.odes, Ode("x", const(0.0))))),
    ("a_state_has_one_equation", "equation of `u` 2 times", replace(MODEL, step_rules=(StepRule("u", const(0.0)),))),
    ("definitions_form_no_cycle", "`m` refers to itself", replace(MODEL, lets=(Let("m", one, op("neg", var("m"))),))),
    ("definitions_form_no_cycle", "`v` refers to itself", replace(MODEL, states=(State("v", one, var("u")), State("u", one, var("v"))))),
    ("what_is_fixed_reads_no_input", "`v` in the default of `b`", replace(MODEL, params=(MODEL.params[0], Param("b", one, var("v"))))),
    ("what_is_fixed_reads_no_input", "`xi` in the initial value of `v`",
     replace(MODEL, noises=(Noise("xi"),), states=(State("v", one, var("xi")), MODEL.states[1]))),
    ("handlers_write_states", "`b` is no state", replace(MODEL, handlers=(Handler("exc", None, None, (Update("b", const(1.0)),)),))),
    ("only_synapses_send", "on exc", replace(MODEL, handlers=(Handler("exc", None, None, (Send(const(1.0)),)),))),
    ("what_is_held_or_guarded_is_a_state", "`m` is no state", replace(MODEL, guards=(Guard("m", const(1.0)),))),
    ("what_is_held_or_guarded_is_a_state", "`b` is no state", replace(MODEL, options=(Option("solver", "rk4", targets=("b",)),))),
    ("surrogates_are_known", "no surrogate `fast`", replace(MODEL, options=(Option("surrogate", "fast"),))),
    ("surrogates_are_known", "`beta` of surrogate", replace(MODEL, options=(Option("surrogate", "arctan", (("beta", const(1.0)),)),))),
    ("surrogates_are_known", "`alpha` of surrogate", replace(MODEL, options=(Option("surrogate", "arctan", (("alpha", const(0.0)),)),))),
    ("blocks_share_out_the_odes", "blocks of ['v']", replace(MODEL, blocks=MODEL.blocks[:1])),
    ("blocks_share_out_the_odes", "block of `v` 2 times", replace(MODEL, blocks=(*MODEL.blocks, MODEL.blocks[0]))),
    ("presets_set_parameters", "`v` in preset P", replace(MODEL, presets=(Preset("P", (("v", const(2.0)),)),))),
    ("presets_set_parameters", "`E` in use leak", replace(MODEL, uses=(Use(LEAK, "leak", (("E", const(2.0)),)),))),
    (
        "expressions_are_well_formed",
        "in let i, in model `Leak`",
        replace(MODEL, uses=(Use(replace(LEAK, lets=(Let("i", one, make("exp")),)), "leak", ()),)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "breach", "model"), MODELS)
def test_model_invariant(invariant: str, breach: str, model: Model) -> None:
    with pytest.raises(InvariantError) as raised:
        check_model(model)
    assert raised.value.invariant == invariant
    assert breach in raised.value.breach


STEPS: list[tuple[str, str, Step]] = [
    ("phases_are_in_order", "'flow', 'input'", replace(STEP, phases=(STEP.phases[1], STEP.phases[0], *STEP.phases[2:]))),
    ("phases_are_in_order", "empty phase `plasticity`",
     replace(STEP, phases=(*STEP.phases[:-1], Phase("plasticity", ()), STEP.phases[-1]))),
    ("statements_stand_in_their_phase", "emit in flow", with_body("flow", Emit(value(".busy")))),
    ("names_are_defined_before_use", "`v` is defined twice", with_body("flow", Define("v", const(0.0)))),
    ("names_are_defined_before_use", "value `v.4` in `x` of flow stands for nothing yet", with_body("flow", Define("x", value("v.4")))),
    ("names_are_defined_before_use", "value `v.3`", with_body("test", Define("x", value("v.3")))),
    ("names_are_defined_before_use", "value `w`", with_body("test", Define("x", value("w")))),
    ("names_are_defined_before_use", "load `x`", with_body("flow", Define("x", make("load", (), "x")))),
    ("names_are_defined_before_use", "normal `xi:0`", with_body("flow", Define("x", make("normal", (), "xi:0")))),
    ("names_are_defined_before_use", "op `param` does not belong here", with_body("flow", Define("x", make("param", (), "tau")))),
    ("names_are_defined_before_use", "op `load` does not belong here", with_bind("x", make("load", (), "v"))),
    ("names_are_defined_before_use", "`steps` in `x` of flow, which belongs to bind", with_body("flow", Define("x", op("steps", v, h)))),
    ("names_are_defined_before_use", "`propagator[1,1,0]`", with_bind("x", make("propagator", (h, h), "1,1,0"))),
    ("names_are_defined_before_use", "a number as argument of `and`",
     with_body("test", Define("x", op("and", value("v.4"), value(".busy"))))),
    ("names_are_defined_before_use", "spike takes a condition",
     replace(STEP, phases=(*STEP.phases[:5], Phase("emit", (Emit(v),)), STEP.phases[6]))),
    ("names_are_defined_before_use", "store refractory takes an int",
     replace(STEP, phases=(*STEP.phases[:4], Phase("reset", (Store("refractory", v),)), *STEP.phases[5:]))),
    ("names_are_defined_before_use", "columns of different lengths", integrate(results=("v.9", "u.9"))),
    ("names_are_defined_before_use", "`u` is no state of", integrate(hold=("u",))),
    ("names_are_defined_before_use", "noise `xi` of", integrate(noises=((("xi", const(1.0)),),))),
    ("slots_are_known_and_stored_once", "store of `v` 2 times", with_body("reset", Store("v", v))),
    ("slots_are_known_and_stored_once", "store of `x`, which is no slot", with_body("reset", Store("x", v))),
    ("slots_are_known_and_stored_once", "starts from `x`", replace(STEP, slots=(Slot("v", "real", one, "x"), STEP.slots[1]))),
    ("names_are_defined_before_use", "look up v.t0 of 2 functions, where the table has 1", looked_up(results=("a", "b"))),
    ("names_are_defined_before_use", "look up v.t1 of 1 functions, where the table has no declaration", looked_up(table="v.t1")),
    ("names_are_defined_before_use", "at an expression, which needs a name", looked_up(argument=op("neg", v))),
    ("names_are_defined_before_use", "`v.1` is defined twice", looked_up(results=("v.1",))),
    ("names_are_defined_before_use", "op `read` does not belong here", tabled(functions=(make("read", (), "I"),))),
    ("tables_are_functions_of_one_slot", "table `v.t0` 2 times", replace(looked_up(), tables=(TABLE, TABLE))),
    ("tables_are_functions_of_one_slot", "table v.t0 of `refractory`, which is no slot of numbers",
     tabled(slot="refractory", functions=(const(1.0),))),
    ("tables_are_functions_of_one_slot", "table v.t0 reads `refractory`", tabled(functions=(make("load", (), "refractory"),))),
    ("tables_are_functions_of_one_slot", "table v.t0 ends at `top`, not in bind", tabled(high="top")),
    ("tables_are_functions_of_one_slot", "table v.t0 has no function, or no error", tabled(error=0.0)),
    ("ports_are_known_and_used_once", "use of output `y` 2 times", with_body("record", Put("y", v))),
    ("ports_are_known_and_used_once", "event `inh` is never used", replace(STEP, events=(*STEP.events, Port("inh", one)))),
    ("ports_are_known_and_used_once", "output `z` is not declared", with_body("record", Put("z", v))),
    ("ports_are_known_and_used_once", "more than one spike", with_body("emit", Emit(value(".fired")))),
    ("declarations_are_unique", "input `I` 2 times", replace(STEP, inputs=STEP.inputs * 2)),
    ("declarations_are_unique", "`v` in preset P", replace(STEP, presets=(Preset("P", (("v", const(2.0)),)),))),
    ("no_integrate_is_left", "rk4 of v", integrate()),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "breach", "step"), STEPS)
def test_step_invariant(invariant: str, breach: str, step: Step) -> None:
    with pytest.raises(InvariantError) as raised:
        check_step(step, final=True)
    assert raised.value.invariant == invariant
    assert breach in raised.value.breach


def test_every_invariant_is_broken_here() -> None:
    invariants: list[Callable[..., object]] = [*MODEL_INVARIANTS, *STEP_INVARIANTS, *FINAL_INVARIANTS]
    assert {f.__name__ for f in invariants} == {name for name, _, _ in MODELS} | {name for name, _, _ in STEPS}
