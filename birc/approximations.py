"""Everything in a step program that is not exact, by name, for an artifact's manifest."""

from __future__ import annotations

from birc.ir.expr import Expr, leaves, topo
from birc.ir.graph import reads, transitive
from birc.ir.linear import linear_form
from birc.ir.model import Block, Model
from birc.ir.solvers import SOLVERS
from birc.ir.step import OFFSET, Define, Deliver, Emit, Put, Step, Store, Table

LOCATED = "spikes: located by cubic interpolation, at most one in a step; the rest of a step with a spike by rk4"


def approximations(step: Step) -> list[str]:
    """Methods other than exact, guards, spikes located inside steps, tables, fused operations, noise that is not integrated exactly,
    states held while others read them.
    """
    found = [f"{', '.join(b.states)}: {b.method}" for b in step.blocks if b.method != "exact"]
    found += [f"{g.state}: runaway guard" for g in step.guards]
    found += [LOCATED for slot in step.slots if slot.name == OFFSET]
    found += [f"{table.name}: {words_of_table(table, step)}" for table in step.tables]
    if _fuses(step):
        found.append("fused multiply-add")
    if step.model is None:
        # Read from IR text, the program no longer says which of its draws are exact.
        return found + [f"{n.name}: noise as the program integrates it" for n in step.noises]
    return found + _noises(step.model, step.blocks) + _held(step.model, step.blocks)


def words_of_table(table: Table, step: Step) -> str:
    """What a table holds, over which range, and how far it is off."""
    slot = next(slot for slot in step.slots if slot.name == table.slot)
    unit = "" if slot.unit.text == "1" else f" {slot.unit.text}"
    ends = [end if isinstance(end, str) else f"{end / float(slot.unit.scale):g}{unit}" for end in (table.low, table.high)]
    count = len(table.functions)
    many = f"{count} functions" if count > 1 else "a function"
    return f"table of {many} of {slot.name} in [{', '.join(ends)}], relative error {table.error:g}"


def _fuses(step: Step) -> bool:
    """Whether sums of products are rounded once."""
    roots: list[Expr] = []
    for _, statement in step.statements():
        match statement:
            case Define(value=e) | Store(value=e) | Put(value=e) | Emit(fired=e):
                roots.append(e)
            case Deliver(body=body, carries=carries):
                roots += [*(define.value for define in body), *(carry.next for carry in carries)]
            case _:
                pass
    return any(e.op == "fma" for e in topo(*roots))


def _noises(model: Model, blocks: tuple[Block, ...]) -> list[str]:
    """Noise is exact in exact blocks with coefficients of parameters; elsewhere it is Euler–Maruyama."""
    names, fixed = frozenset(n.name for n in model.noises), frozenset(p.name for p in model.params) | {"elapsed"}
    method = {s: b.method for b in blocks for s in b.states}
    found = []
    for ode in model.odes:
        form = linear_form(ode.rhs, names)
        coefficients = form.coefficients if form else {}
        if any(method[ode.state] != "exact" or not leaves(c, "var") <= fixed for c in coefficients.values()):
            found.append(f"{ode.state}: noise by Euler-Maruyama")
    return found


def _held(model: Model, blocks: tuple[Block, ...]) -> list[str]:
    """States of other blocks are read at stamp k, but for those of an exact block that a method with stages reads at their times."""
    edges = reads(model)
    reach = transitive(edges)
    home = {s: b for b in blocks for s in b.states}
    found = []
    for state, sources in edges.items():
        block = home[state]
        for source in sorted(sources - set(block.states)):
            staged = SOLVERS[block.method].staged and home[source].method == "exact" and not reach[source] & set(block.states)
            if not staged:
                found.append(f"{state}: {source} held over the step")
    return found
