"""Rules on what stands in a body: which statements belong there, and that names are unique."""

from __future__ import annotations

from birc.errors import Label, Span
from birc.frontend import ast
from birc.frontend.body import Part, declared_name
from birc.frontend.report import Report
from birc.ir.ops import USER_FUNCTIONS

WORDS: dict[type, str] = {
    ast.Param: "param", ast.State: "state", ast.Input: "input", ast.Output: "output", ast.Let: "let", ast.Function: "fn",
    ast.Equation: "an equation", ast.StepRule: "step", ast.OnEvent: "on", ast.Spike: "spike", ast.Refractory: "refractory",
    ast.Name: "noise", ast.Trace: "trace", ast.Gate: "gate", ast.Outward: "outward", ast.Mechanism: "use", ast.Preset: "preset",
    ast.With: "with", ast.Section: "section", ast.Morphology: "morphology", ast.Membrane: "membrane", ast.Insert: "insert",
    ast.Population: "population", ast.SourceOf: "source", ast.Signal: "signal", ast.Project: "project", ast.Third: "third",
    ast.Record: "record", ast.Drive: "drive", ast.Run: "run", ast.Expect: "expect",
}  # fmt: skip

_COMMON = ("param", "state", "let", "fn", "an equation", "preset", "with")
ALLOWED: dict[str, frozenset[str]] = {
    "neuron": frozenset((*_COMMON, "input", "output", "step", "on", "spike", "refractory", "noise", "gate", "use")),
    "channel": frozenset((*_COMMON, "noise", "gate", "outward")),
    "synapse": frozenset((*_COMMON, "input", "step", "on", "noise", "trace")),
    "astrocyte": frozenset((*_COMMON, "input", "output", "step", "on", "noise", "gate", "use")),
    "cell": frozenset((*_COMMON, "input", "output", "on", "spike", "refractory", "section", "morphology", "membrane", "insert")),
    "network": frozenset(("param", "let", "fn", "preset", "population", "source", "signal", "project", "third", "record")),
    "check": frozenset(("drive", "run", "expect")),
}

BELONGS = {
    "trace": "traces belong to synapses",
    "outward": "outward currents belong to channels; a neuron uses one with `use`",
    "spike": "only neurons and cells fire",
    "refractory": "only neurons and cells fire",
    "input": "a channel reads the `v` of its host; what it needs else are parameters",
    "output": "only neurons, cells and astrocytes have outputs",
    "use": "channels are used by neurons; a cell has `insert`",
    "drive": "write it in a `check`",
    "run": "write it in a `check` of a network",
    "expect": "write it in a `check`",
}


def check_statements_belong(kind: ast.ItemKind, parts: tuple[Part, ...], report: Report) -> tuple[Part, ...]:
    """M117: each kind of item has its own statements. What belongs is returned."""
    kept: list[Part] = []
    for part in parts:
        word = WORDS[type(part.entry)]
        if word in ALLOWED[kind]:
            kept.append(part)
            continue
        said = word if word == "an equation" else f"`{word}`"
        article = "an" if kind[0] in "aeiou" else "a"
        homes = [k for k, words in ALLOWED.items() if word in words]
        help = BELONGS.get(word, f"it stands in: {', '.join(homes)}")
        report.error("M117", f"{said} does not belong to {article} {kind}", part.entry.span, help)
    return tuple(kept)


def check_names_are_unique(kind: ast.ItemKind, parts: tuple[Part, ...], report: Report) -> tuple[Part, ...]:
    """N102, N103: a model declares a name once, over all kinds of names, and none that birc itself declares.

    The first declaration of each name is returned.
    """
    taken: dict[str, Span] = {}
    presets: dict[str, Span] = {}
    kept: list[Part] = []
    for part in parts:
        named = declared_name(part.entry)
        if isinstance(part.entry, ast.Preset):
            named = part.entry.name, part.entry.name_span
        if named is None:
            kept.append(part)
            continue
        name, span = named
        names = presets if isinstance(part.entry, ast.Preset) else taken
        if names is taken and _is_own(name, kind, span, report):
            continue
        if name in names:
            what = "presets" if names is presets else "declarations of"
            labels = (Label(names[name], "first"),)
            report.error("N102", f"there are two {what} `{name}`", span, "names are unique in a model", labels=labels)
            continue
        names[name] = span
        kept.append(part)
    _check_ports(kept, taken, report)
    return tuple(kept)


def _is_own(name: str, kind: ast.ItemKind, span: Span, report: Report) -> bool:
    what = None
    if name in USER_FUNCTIONS or name in ("uniform", "normal"):
        what = "a function of the language"
    elif name == "elapsed":
        what = "the length of a step"
    elif kind == "channel" and name == "v":
        what = "the voltage of the host"
    if what is not None and kind not in ("network", "check"):
        report.error("N103", f"`{name}` is {what}", span, "choose another name")
        return True
    return False


def _check_ports(parts: list[Part], taken: dict[str, Span], report: Report) -> None:
    for part in parts:
        if isinstance(part.entry, ast.OnEvent) and part.entry.port in taken:
            labels = (Label(taken[part.entry.port], "first"),)
            message = f"the port `{part.entry.port}` has the name of something else"
            report.error("N102", message, part.entry.port_span, "names are unique in a model", labels=labels)
