"""The wrong rules: which row of the conformance kit reports each, and what verification must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from birc.ir.expr import Expr, const, make, op, substitute, value
from birc.ir.step import Define, Deliver, Phase, Statement, Step, Store
from birc.verification.compare import SPIKE
from tests.mutants.wrong import Change, LateSpikes, NextInput, Rewrite, Rule, Twist, rule, text


@dataclass(frozen=True)
class Mutant:
    """One wrong rule.

    row: the row of the kit that reports it, whose model is verified. variable, line, first: what verification names; `line` is how the
    model's line begins, `first` the first step, where it can be said beforehand. target: whose text is altered.
    """

    name: str
    row: str
    variable: str
    line: str
    first: int | None = None
    change: Change | None = None
    rewrite: Rewrite | None = None
    twist: Twist | None = None
    target: str = "numpy"
    duration: str | None = None


def replaced(old: Expr, new: Expr) -> Rule:
    """A leaf read in place of another."""
    return lambda e: new if e is old else None


def other_op(old: str, new: str) -> Rule:
    """One operation in place of another."""
    return lambda e: make(new, e.args) if e.op == old else None


def always(condition: str) -> Rule:
    """`not condition` is taken as true."""
    return lambda e: const(True) if e is op("not", value(condition)) else None


def second_arm(condition: str) -> Rule:
    """A select that takes its second arm whatever the condition."""
    return lambda e: e.args[2] if e.op == "select" and e.args[0] is value(condition) else None


def first_argument(name: str) -> Rule:
    """An operation of two arguments that gives back its first."""
    return lambda e: e.args[0] if e.op == name else None


def refractory_steps(name: str) -> Rule:
    """The countdown starts one step too high or too low."""
    started = op(name, value(".n_ref"), const(1))
    return lambda e: op("select", e.args[0], started, e.args[2]) if e.op == "select" and e.args[1] is value(".n_ref") else None


def reset_first(e: Expr) -> Expr | None:
    """The jump is added behind the reset."""
    if e.op == "select" and e.args[0] is value(".fired") and e.args[2] is value("v.2"):
        return op("add", op("select", e.args[0], e.args[1], value("v.1")), op("sub", value("v.2"), value("v.1")))
    return None


def hard_reset(e: Expr) -> Expr | None:
    """The reset sets 0 and takes nothing off."""
    return op("select", e.args[0], const(0.0), e.args[2]) if e.op == "select" and e.args[0] is value(".fired") else None


def no_root_of_h(e: Expr) -> Expr | None:
    """Noise without the square root of the step."""
    amplitude = value(".S.v.xi")
    return op("mul", op("div", amplitude, op("sqrt", value(".h"))), e.args[1]) if e.op == "mul" and e.args[0] is amplitude else None


def naive_quotient(e: Expr) -> Expr | None:
    """(exp(x) - 1) / x as it stands."""
    return op("div", op("sub", op("exp", e.args[0]), const(1.0)), e.args[0]) if e.op == "exprel" else None


def heavy_middle(e: Expr) -> Expr | None:
    """Runge-Kutta weights 1, 3, 3, 1 over 6."""
    return op("mul", const(3.0), e.args[1]) if e.op == "mul" and e.args[0] is const(2.0) else None


def wrong_entry(e: Expr) -> Expr | None:
    """The coefficient of the state itself for that of the one beside it."""
    return op("mul", value(".E.v"), e.args[1]) if e.op == "mul" and e.args[0] is value(".P.v.i") else None


def each(alter: Callable[[Statement], Statement]) -> Change:
    """Alter statements one by one."""
    return lambda step: replace(step, phases=tuple(Phase(p.name, tuple(map(alter, p.body))) for p in step.phases))


def stored(slot: str, name: str) -> Change:
    """Another value is kept."""
    return each(lambda s: replace(s, value=value(name)) if isinstance(s, Store) and s.slot == slot else s)


def once_with_the_sum(port: str) -> Change:
    """A handler that is to run for each event runs once, with the sum of their payloads."""

    def run(s: Statement) -> Statement:
        if not (isinstance(s, Deliver) and s.port == port):
            return s
        before = tuple(Define(c.name, c.initial) for c in s.carries)
        return replace(s, summing=True, body=before + s.body + tuple(Define(c.result, c.next) for c in s.carries), carries=())

    return each(run)


def ports_swapped(step: Step) -> Step:
    """Of the two ports of `port_order`, the second comes first."""
    deliveries = [s for _, s in step.statements() if isinstance(s, Deliver)]
    if len(deliveries) != 2:
        return step
    add, scale = deliveries
    (carry,) = scale.carries
    scale = replace(scale, carries=(replace(carry, initial=value("x"), result=".between"),))
    last = Define(carry.result, substitute(add.body[0].value, {value("x"): value(".between")}))
    add = replace(add, body=(Define("x.1", value(".between")), last))
    phases = [
        Phase(p.name, (scale, add, *(s for s in p.body if not isinstance(s, Deliver)))) if p.name == "deliver" else p for p in step.phases
    ]
    return replace(step, phases=tuple(phases))


def draw(lane: str) -> Expr:
    """A draw of a noise."""
    return make("normal", (), lane)


LIF, V_LIF, V_NOISE = "spike when v >= 1:", "tau * v' = -v + I", "10 ms * v'"

PROGRAMS = (
    Mutant("ge_for_gt", "strict", "v", "spike when v > th:", change=rule(other_op("gt", "ge"), "spike when")),
    Mutant("gt_for_ge", "recorded", "v", "spike when v >= 3:", change=rule(other_op("ge", "gt"), "spike when")),
    Mutant("refractory_longer", "lif_2", "refractory", "refractory t_ref: hold v", change=rule(refractory_steps("add"))),
    Mutant("refractory_shorter", "lif_2", "refractory", "refractory t_ref: hold v", change=rule(refractory_steps("sub"))),
    Mutant("countdown_stuck", "lif_2", "refractory", "refractory t_ref: hold v", change=rule(first_argument("sub"), "refractory")),
    Mutant("hold_dropped", "lif_2", "v", V_LIF, change=rule(second_arm(".busy"), "tau * v'")),
    Mutant("test_before_delivery", "delta_0", "v", LIF, change=rule(replaced(value("v.2"), value("v.1")), phase="test")),
    Mutant("reset_before_delivery", "held_jump", "v", "v = 0", change=rule(reset_first)),
    Mutant("jump_on_a_held_variable", "held_jump", "v", "on exc(w: 1): v += w", change=rule(second_arm(".busy"), "on exc")),
    Mutant("select_after_joint_block", "reads_held", "w", "10 ms * w' = v - w", change=rule(second_arm(".busy"), "10 ms * w'")),
    Mutant("noise_while_held", "held_noise", "v", V_NOISE, change=rule(second_arm(".busy"), V_NOISE)),
    Mutant("input_of_next_step", "held_input", "u", "input I: 1, J: 1", twist=NextInput),
    Mutant("spikes_late", "lif_2", SPIKE, LIF, twist=LateSpikes),
    Mutant("edge_as_level", "edge", SPIKE, "spike on rise v > 0.5", change=rule(always(".was"))),
    Mutant("rise_not_lost", "edge_refractory", "refractory", "spike on rise v > 0.5", change=rule(always(".busy"))),
    Mutant("hard_reset", "soft_reset", "v", "v -= theta", change=rule(hard_reset, "v -= theta")),
    Mutant("reset_sees_old_value", "reset_order", "v", "v -= theta", change=rule(replaced(value("theta.1"), value("theta")), "v -= theta")),
    Mutant("let_not_evaluated_again", "reset_let", "y", "y = double", change=rule(replaced(value("v.2"), value("v.1")), "y = double")),
    Mutant("output_before_reset", "recorded", "y", "output y: 1", change=rule(replaced(value("v.2"), value("v.1")), phase="record")),
    Mutant("state_before_reset", "recorded", "v", "state v = 0", change=stored("v", "v.1")),
    Mutant("clip_dropped", "clip", "x", "state x = 0 in [0, 1]", change=rule(first_argument("min"), "state x")),
    Mutant("clip_dropped_in_a_handler", "clip", "y", "y += 2 * w", change=rule(first_argument("min"), "y += 2")),
    Mutant("clip_dropped_in_the_reset", "clip", "x", "x -= 5", change=rule(first_argument("max"), "x -= 5")),
    Mutant("wrong_sign", "one_by_one", "z", "on less(w: 1)", change=rule(other_op("sub", "add"), "on less")),
    Mutant("once_with_the_sum", "summing", "y", "on each(w: 1)", change=once_with_the_sum("each")),
    Mutant("ports_swapped", "port_order", "x", "on add(w: 1)", change=ports_swapped),
    Mutant("steps_in_turn", "together", "b", "step b = a", first=0, change=rule(replaced(value("a"), value("a.1")), "step b = a")),
    Mutant("gates_after_v", "sequence", "v", "v' = -m * v", first=0, change=rule(replaced(value("m.1"), value("m")), "v' = -m * v")),
    Mutant("runge_kutta_weight", "quadratic", "x", "x' = x^2", first=0, change=rule(heavy_middle), duration="0.5 ms"),
    Mutant(
        "stage_time", "fed", "v", "v' = (v^2 + i)", first=0, change=rule(replaced(value("i.half"), value("i")), "v' ="), duration="1.5 ms"
    ),
    Mutant("guard_dropped", "guard", "u", "v' = (v^2 - u)", first=0, change=rule(first_argument("min"))),
    Mutant("naive_exprel", "gates", "m", "gate m: alpha", first=0, change=rule(naive_quotient)),
    Mutant("wrong_propagator_entry", "alpha", "v", "tau_m * v' = -v + i", first=0, change=rule(wrong_entry)),
    Mutant("no_root_of_h", "walk", "v", "v' = sqrt(D) * xi", first=0, change=rule(no_root_of_h, "v' =")),
    Mutant(
        "stream_of_another_noise",
        "walk",
        "u",
        "u' =",
        first=0,
        change=rule(replaced(draw("eta:0"), draw("xi:0"))),
    ),
    Mutant(
        "lane_drawn_twice",
        "filtered",
        "v",
        "10 ms * v'",
        first=0,
        change=rule(replaced(draw("xi:1"), draw("xi:0"))),
    ),
)

COUNT_FIRST = text(r"total\(\*(events\['add'\])", r"total(*(a[:1] for a in \1)")

TEXTS = (
    Mutant("f32_literal", "literal", "x", "step x =", first=0, rewrite=text(r"\b0\.3\b", "np.float32(0.3)")),
    Mutant("coincident_event_lost", "summing", "x", "on add(w: 1)", rewrite=COUNT_FIRST),
    Mutant("parameter_of_neuron_0", "lif_each", "v", V_LIF, rewrite=text(r"= bound\['\.E\.v'\]", "= np.ravel(bound['.E.v'])[0]")),
    Mutant("test_turned_round", "lif_2", "v", LIF, rewrite=text(r" >= 1\.0", " <= 1.0")),
    Mutant("native_f32_literal", "literal", "x", "step x =", first=0, target="native", rewrite=text(r"\+ 0\.3;", "+ 0.3f;")),
    Mutant(
        "native_gt_for_ge", "recorded", "v", "spike when v >= 3:", target="native", rewrite=text(r" >= real\(3\.0\)| >= 3\.0", " > 3.0")
    ),
    Mutant("native_parameter_of_neuron_0", "lif_each", "v", V_LIF, target="native", rewrite=text(r"bound\.E_v\[lane\]", "bound.E_v[0]")),
    Mutant(
        "native_payload_halved",
        "one_by_one",
        "z",
        "on less(w: 1)",
        target="native",
        rewrite=text(r"real\((job\.events\[2\]\.payload)", r"real(0.5 * \1"),
    ),
)
