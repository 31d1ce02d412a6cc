"""The layers' arguments as tables, for the documentation."""

from __future__ import annotations

from birc.ir.model import Param
from birc.nn.arguments import LAYERS, STEP, About
from birc.nn.program import program

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def arguments() -> Table:
    """Every argument of every layer, and the parameters that have no argument of another name."""
    rows = []
    for name, about in LAYERS.items():
        params = {p.name: p for p in program(about.model, "1 ms").step.params}
        rows += [_row(name, about, a.name, a.unit, params[a.parameter]) for a in about.arguments]
        taken = {a.parameter for a in about.arguments}
        rows += [_row(name, about, "", "", p) for p in params.values() if p.name not in taken]
    return ("layer", "argument", "unit", "default", "parameter", "unit of the parameter", "learned"), rows


def _row(name: str, about: About, word: str, unit: str, param: Param) -> tuple[str, ...]:
    own = param.unit.text
    default = "depends on others"
    if param.value.op == "const":
        number = float(param.value.attr or 0) / float(param.unit.scale)
        argument = about.argument(word)
        default = f"{number / argument.scale if argument is not None and unit != STEP else number:g}"
    learned = "yes" if param.name in about.learn else ""
    return f"`{name}`", f"`{word}`" if word else "", unit, default, f"`{param.name}`", own, learned


def drives() -> Table:
    """What drives each layer, and on what grid."""
    rows: list[tuple[str, ...]] = []
    for name, about in LAYERS.items():
        port = program(about.model, "1 ms").step.inputs[0]
        unit = "" if port.unit.text == "1" else f" {port.unit.text}"
        rows.append((f"`{name}`", f"`{about.model}`", f"{about.gain:g}{unit}", str(about.substeps), f"{about.margin:g}"))
    return ("layer", "model", "an input of 1", "substeps of a row", "scale of the surrogate"), rows
