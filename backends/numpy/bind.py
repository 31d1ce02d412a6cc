"""The bind section as a function of the step's length and the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from birc.backends.numpy.syntax import bind_syntax, literal
from birc.backends.text import lines
from birc.ir.expr import make
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
    given = [f"{h},  # ms, the length of a step", *(["*,"] if step.params else [])]
    for param in step.params:
        default = f"={literal(param.value.attr)}" if param.value.op == "const" else ""
        unit = internal_unit(param.unit.dimension).text
        given.append(f"{own[param.name]}{default}," + ("" if unit == "1" else f"  # {unit}"))
    every = ", ".join(own.values())
    body = [f"{every} = (np.asarray(x, np.float64)[()] for x in ({every}))"] if step.params else [f"{h} = np.float64({h})"]
    taken = set(names.values())
    fresh = (t for i in count() if (t := f"t{i}") not in taken)
    for line in lines([(names[d.name], d.value) for d in step.bind], syntax, fresh):
        if line.text != line.name:
            text = f"np.float64({line.text})" if line.node.op == "const" and isinstance(line.node.attr, float) else line.text
            body.append(f"{line.name} = {text}")
    return Bind(given, body, _packed([f"{d.name!r}: {names[d.name]}," for d in step.bind]))


def _packed(items: list[str]) -> list[str]:
    """Items side by side, as many as a line takes."""
    rows: list[str] = []
    for item in items:
        if rows and len(rows[-1]) + len(item) < WIDTH:
            rows[-1] += f" {item}"
        else:
            rows.append(item)
    return rows
