"""Wrong rules of delivery and plasticity: which row of the kit reports each, and what differs first when it is verified."""

from __future__ import annotations

from dataclasses import dataclass

from birc.ir.expr import Expr, op, value
from birc.passes.lower_synapse import DECAY
from tests.mutants.mutants import first_argument, other_op, replaced
from tests.mutants.wrong import Change, Rewrite, Rule, rule
from tests.mutants.wrong_networks import ReBuild, all_of, lines, wired_with


@dataclass(frozen=True)
class NetworkMutant:
    """One wrong rule: the row that reports it, whose network is verified; and the array of the state, or the reason, that is named."""

    name: str
    row: str
    says: str
    change: Change | None = None
    rewrite: Rewrite | None = None
    rebuild: ReBuild | None = None
    target: str = "numpy"


W, RISE, POST = "s -> B.exc.w", "            synapses.rise(t)\n", "            synapses.post(t)\n"
EACH = "        for synapses in self.synapses:\n"
READ, FLOW = "            synapses.read_inputs()\n", "            synapses.flow(k)\n"
TURN, EDGE = "for (int64 m = 0; m < many; m++)", "for (int64 e = begin; e < end; e++)"
TURN_THEN_EDGE, EDGE_THEN_TURN = f"{TURN}\n            {EDGE} act(", f"{EDGE}\n            {TURN} act("
QUEUE = "the number of entries of s -> D.write.queue.stamp"
BEFORE = "        done = set(self.sources)\n"
"""What stands before the populations."""

IN = " " * 16
REACHED = "if not len(index):"
"""What follows where it is looked up who fired."""
FREELY = "run freely, {} ends otherwise than in the reference, though every single step is the same"


def loop(name: str, row: str, says: str, *rewrites: Rewrite) -> NetworkMutant:
    """A wrong rule of the reference's loop."""
    return NetworkMutant(name, row, says, rewrite=all_of(*rewrites))


def native(name: str, row: str, says: str, old: str, new: str) -> NetworkMutant:
    """A wrong rule of the native text."""
    return NetworkMutant(f"native_{name}", row, says, rewrite=lines(old, new), target="native")


LOOP = (
    loop("traces_rise_before_post", "coincident_pair", W, lines(POST + EACH + RISE, RISE + EACH + POST)),
    loop("traces_rise_before_pre", "nearest", W, lines(EACH + RISE, ""), lines(BEFORE, EACH + RISE + BEFORE)),
    loop("post_before_pre", "pre_before_post", W, lines(EACH + POST, ""), lines(BEFORE, EACH + POST + BEFORE)),
    loop("delay_longer", "delays", "spikes of A", lines(f"t - d)\n            {REACHED}", f"t - d - 1)\n            {REACHED}")),
    loop("delay_shorter", "delays", "spikes of A", lines(f"t - d)\n            {REACHED}", f"t - d + 1)\n            {REACHED}")),
    loop("dend_ignored", "pending", "s -> A.exc.pending", lines("here = dend == 0", "here = dend >= 0")),
    loop(
        "back_ignored",
        "dend_and_back_by_default",
        "s -> B.exc.trace.y",
        lines(f"t - d)\n{IN}inside", f"t)\n{IN}inside"),
    ),
    loop(
        "handler_once",
        "handler_once_per_event",
        "s -> B.exc.n",
        lines("turn = again[many > 1], ", "turn = again[:0], "),
    ),
    loop("payload_once", "several_at_once", "A.x", lines("many.astype(self.real) * value", "value")),
    loop("events_ignore_dend", "pending_one_by_one", QUEUE, lines("here = dend == 0", "here = dend >= 0")),
    loop(
        "events_come_again", "pending_one_by_one", QUEUE, lines("[QUEUE_STAMP] == t", "[QUEUE_STAMP] <= t"), lines("array[~now]", "array")
    ),
    loop("events_sent_before_come_last", "pending_one_by_one", "D.x", lines("concatenate(payload)", "concatenate(payload[::-1])")),
    loop(
        "events_backwards",
        "pending_one_by_one",
        "s -> D.write.queue.payload",
        lines("payload[in_order].astype", "payload[in_order][::-1].astype"),
    ),
    loop("row_not_cleared", "pending", "s -> A.exc.pending", lines("            row[:] = 0\n", "")),
    loop(
        "sum_backwards",
        "order_of_sums",
        "A.x",
        lines("[at], many.astype(self.real) * value", "[at][::-1], (many * value)[::-1]"),
    ),
    loop("trace_decays_twice", "coincident_pair", "s -> B.exc.trace.x", lines(".get(trace.name, 1.0))\n", ".get(trace.name, 1.0)) ** 2\n")),
    loop("last_event_forgotten", "between_events", "s -> B.exc.last", lines("            last[at] = t\n", "")),
    loop("nearest_adds_up", "nearest", "s -> B.exc.trace.x", lines("self.real(1) if trace.nearest else ", "")),
    loop("trace_rises_once", "nearest", "s -> B.exc.trace.z", lines("x[here] + many[inside].astype(self.real)", "x[here] + 1")),
    loop("younger_first", "order_at_a_port", "D.x", lines("reversed(range(width))", "range(width)")),
    loop("target_by_target", "order_at_a_port", "D.x", lines("np.lexsort((each, turn, self.source[at[each]]))", "np.argsort(each)")),
    loop(
        "sent_target_by_target",
        "order_through_synapses",
        "D.x",
        lines("lexsort((which, turns, self.source[which]))", "argsort(which)"),
    ),
    loop("signal_does_not_decay", "signal", "DA", lines("*= self.real(signal.decay)", "*= self.real(1)")),
    loop("signal_read_late", "three_factors", W, lines(EACH + READ, ""), lines(EACH + FLOW, EACH + READ + EACH + FLOW)),
    loop("seen_before_it_fires", "cycle_behind_the_synapse", "A -> A.exc.pending", lines("d > 0 or source in done", "True")),
    loop("order_of_the_file", "chain_without_delay", "spikes of C", lines("for name in self.net.order:", "for name in self.populations:")),
    loop("spike_at_0_lost", "delays", "spikes of A", lines("if stamp < 0:", "if stamp < 1:")),
    loop("first_source_ignored", "order_at_a_port", "D.x", lines(".astype(np.int64) - first, many", ".astype(np.int64) * 0, many")),
    loop("first_target_ignored", "delay_no_multiple", "spikes of A", lines("slice(synapses.bound.first_target, ", "slice(0, ")),
)


def decayed_twice(e: Expr) -> Expr | None:
    """The factor of a lazily kept state acts twice."""
    factor = next((a for a in e.args if a.op == "value" and str(a.attr).startswith(DECAY)), None) if e.op == "mul" else None
    return op("mul", e, factor) if factor is not None else None


def of_synapse(apply: Rule, line: str = "", phase: str = "") -> Change:
    """A rule for the programs of synapses, by a line of the model."""
    return rule(apply, line, phase)


LOWERING = (
    NetworkMutant("clip_left_out", "clip", W, change=of_synapse(first_argument("min"))),
    NetworkMutant("lower_clip_left_out", "clip", W, change=of_synapse(first_argument("max"))),
    NetworkMutant(
        "sent_before_the_update", "pre_before_post", "B.x", change=of_synapse(replaced(value("w.1"), value("w")), phase="record")
    ),
    NetworkMutant("depression_potentiates", "axon", W, change=of_synapse(other_op("sub", "add"), "w -= A")),
    NetworkMutant("lazy_state_decays_twice", "between_events", "s -> B.exc.x", change=of_synapse(decayed_twice)),
)

TEXTS = (
    native("delay_longer", "delays", "spikes of A", "stamp - edges.delay[j];", "stamp - edges.delay[j] - 1;"),
    native("younger_first", "order_at_a_port", "D.x", "j = edges.delays - 1; j >= 0; j--) {", "j = 0; j < edges.delays; j++) {"),
    native(
        "sum_not_cleared",
        "coincidence",
        FREELY.format("A.x"),
        "if (sums) __builtin_memset(sums, 0, ",
        "if (sums) __builtin_memset(sums, 0, 0 * ",
    ),
    native("handler_once", "handler_once_per_event", "s -> B.exc.n", "for (int64 m = 0; m < many; m++) pre(", "pre("),
    native("dend_ignored", "pending", "s -> A.exc.pending", "now.stamp + p.wait", "now.stamp"),
    native("events_ignore_dend", "pending_one_by_one", QUEUE, "if (waits.delay(synapse)) waits", "if (false) waits"),
    native("events_come_again", "pending_one_by_one", QUEUE, "    arrived.count = 0;\n", ""),
    native("events_come_soon", "pending_one_by_one", "s -> D.write.queue.stamp", "now.stamp + delay(synapse)", "now.stamp + 1"),
    native("nearest_adds_up", "nearest", "s -> B.exc.trace.x", "trace.nearest ? real(1) : ", ""),
    native("last_event_forgotten", "between_events", "s -> B.exc.last", "{ p.last[synapse(lane)] = when(lane); }", "{}"),
    native("trace_decays_twice", "coincident_pair", "s -> B.exc.trace.x", "lane] *= decay;", "lane] *= decay * decay;"),
    native("trace_rises_once", "nearest", "s -> B.exc.trace.z", "trace.values[i] + real(many)", "trace.values[i] + real(1)"),
    native("signal_keeps_its_sum", "signal", FREELY.format("DA"), "    sum = real(0);\n", ""),
    native("target_by_target", "order_at_a_port", "D.x", TURN_THEN_EDGE, EDGE_THEN_TURN),
)

WIRING = (NetworkMutant("autapses_kept", "no_autapses", "it makes other synapses of A -> A.exc", rebuild=wired_with("self")),)
