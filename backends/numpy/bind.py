"""The bind section as a function of the step's length and the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from birc.backends.numpy.syntax import bind_syntax, literal
from birc.backends.text import lines
from birc.ir.expr import leaves, make
from birc.ir.model import Param
from birc.ir.step import Step
from birc.units import internal_unit

STEP_SIZE = ".h"
ARGUMENT = ".argument."
WIDTH = 120


@dataclass(frozen=True)
class Bind:
    """The function's arguments, its lines, and the entries of the dictionary that it returns."""

    arguments: list[str]
    lines: list[str]
    values: list[str]


def arguments(step: Step) -> dict[str, str]:
    """For each parameter, and the step's length under "", the name whose identifier its argument takes.

    That of the value which stands for it, or one of its own where that name is another value's.
    """
    defined = {d.name: d.value for d in step.bind}
    found = {}
    for key, name, leaf in (("", STEP_SIZE, make("step_size")), *((p.name, p.name, make("param", (), p.name)) for p in step.params)):
        found[key] = name if defined.get(name, leaf) is leaf else ARGUMENT + name
    return found


def bind_text(step: Step, names: Mapping[str, str]) -> Bind:
    """The text; numbers are NumPy's float64, so that a division by 0 is infinite as it is in the step."""
    own = {key: names[name] for key, name in arguments(step).items()}
    h = own[""]
    syntax = bind_syntax(names, own, h)
    taken = set(names.values())
    fresh = (t for i in count() if (t := f"t{i}") not in taken)
    literals = [p for p in step.params if p.value.op == "const"]
    given = [f"{h},  # ms, the length of a step", *(["*,"] if step.params else [])]
    for param in step.params:
        default = literal(param.value.attr) if param in literals else "None"
        unit = internal_unit(param.unit.dimension).text
        given.append(f"{own[param.name]}={default}," + ("" if unit == "1" else f"  # {unit}"))
    numbers = [h, *(own[p.name] for p in literals)]
    body = [f"{a} = {_number(a)}" for a in numbers] if len(numbers) == 1 else []
    if len(numbers) > 1:
        body = [f"{', '.join(numbers)} = ({_number('x')} for x in ({', '.join(numbers)}))"]
    for param in _in_order([p for p in step.params if p not in literals]):
        *before, last = lines([("", param.value)], syntax, fresh)
        body += [f"{line.name} = {line.text}" for line in before]
        body.append(f"{own[param.name]} = {last.text} if {own[param.name]} is None else {_number(own[param.name])}")
    for line in lines([(names[d.name], d.value) for d in step.bind], syntax, fresh):
        if line.text != line.name:
            text = f"np.float64({line.text})" if line.node.op == "const" and isinstance(line.node.attr, float) else line.text
            body.append(f"{line.name} = {text}")
    return Bind(given, body, _packed([f"{d.name!r}: {names[d.name]}," for d in step.bind]))


def _number(text: str) -> str:
    """A number or array as NumPy's."""
    return f"np.asarray({text}, np.float64)[()]"


def _in_order(params: list[Param]) -> list[Param]:
    """Parameters, each after those that its default reads."""
    rest, out = list(params), []
    while rest:
        waiting = {p.name for p in rest}
        ready = next(p for p in rest if not leaves(p.value, "var") & waiting)
        rest.remove(ready)
        out.append(ready)
    return out


def _packed(items: list[str]) -> list[str]:
    """Items side by side, as many as a line takes."""
    rows: list[str] = []
    for item in items:
        if rows and len(rows[-1]) + len(item) < WIDTH:
            rows[-1] += f" {item}"
        else:
            rows.append(item)
    return rows
