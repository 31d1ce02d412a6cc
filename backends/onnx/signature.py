"""What crosses the border of a program's function, with its tensors' names and kinds.

Inputs: slots, continuous ports, events, normal numbers, bind values. Outputs: slots at the next stamp, who fired, outputs. The events of
a summing port are one sum per neuron; those of any other are rounds, [R, n], a neuron's r-th event in round r, with who is in the round.
"""

from __future__ import annotations

from dataclasses import dataclass

from birc.backends.legality import expressions
from birc.backends.names import identifiers
from birc.ir.expr import Expr, leaves, topo
from birc.ir.ops import OPS, Kind
from birc.ir.step import Deliver, Emit, Step

Key = tuple[str, str]
"""What a tensor stands for, a group and a name in the program. Inputs: `slot`, `input`, `sum`, `round`, `present`, `normal`, `bind`;
outputs: `next`, `fired`, `output`."""


@dataclass(frozen=True)
class Signature:
    """The function's name, inputs and outputs, in order, each with its kind; `names` gives the tensor of each."""

    function: str
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    kinds: dict[Key, Kind]
    names: dict[Key, str]

    def of(self, *groups: str) -> list[Key]:
        """The inputs and outputs of some groups, in order."""
        return [key for key in (*self.inputs, *self.outputs) if key[0] in groups]


FIRED: Key = ("fired", "")


def signature(step: Step) -> Signature:
    """What crosses the function's border; bind values that no phase reads are left out."""
    used = {name for _, s in step.statements() for e, _ in expressions(s) for name in leaves(e, "value")}
    inputs: dict[Key, Kind] = {("slot", s.name): s.kind for s in step.slots}
    inputs |= {("input", p.name): "real" for p in step.inputs}
    summing = {s.port: s.summing for _, s in step.statements() if isinstance(s, Deliver)}
    inputs |= {("sum", p.name): "real" for p in step.events if summing[p.name]}
    for port in (p.name for p in step.events if not summing[p.name]):
        inputs |= {("round", port): "real", ("present", port): "bool"}
    inputs |= {("normal", f"{n.name}:{lane}"): "real" for n in step.noises for lane in range(n.lanes)}
    kinds = bind_kinds(step)
    inputs |= {("bind", d.name): kinds[d.name] for d in step.bind if d.name in used}
    outputs: dict[Key, Kind] = {("next", s.name): s.kind for s in step.slots}
    if any(isinstance(s, Emit) for _, s in step.statements()):
        outputs[FIRED] = "bool"
    outputs |= {("output", o.name): "real" for o in step.outputs}
    names: dict[Key, str] = {}
    for key in (*inputs, *outputs):
        wanted = {"next": f"{key[1]}_next", "present": f"{key[1]}_present", "fired": "fired"}.get(key[0], key[1])
        names[key] = identifiers((wanted,), frozenset(names.values()))[wanted]
    function = identifiers((step.name,), frozenset())[step.name]
    return Signature(function, tuple(inputs), tuple(outputs), inputs | outputs, names)


def bind_kinds(step: Step) -> dict[str, Kind]:
    """The kind of every bind value."""
    found: dict[str, Kind] = {}
    for define in step.bind:
        known: dict[Expr, Kind] = {}
        for e in topo(define.value):
            known[e] = found.get(str(e.attr), "real") if e.op == "value" else kind_of(e, tuple(known[a] for a in e.args))
        found[define.name] = known[define.value]
    return found


def kind_of(e: Expr, args: tuple[Kind, ...]) -> Kind:
    """The kind of a node from those of its arguments; a count beside a real is a real."""
    if e.op == "const":
        return "bool" if isinstance(e.attr, bool) else "int" if isinstance(e.attr, int) else "real"
    row = OPS.get(e.op)
    if row is None:
        return "real"
    if row.kind != "args":
        return row.kind
    of = set(args[1:] if row.unit == "select" else args)
    return of.pop() if len(of) == 1 else "real"
