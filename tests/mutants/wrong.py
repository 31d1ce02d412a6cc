"""Targets with one rule wrong: in the step program, in the emitted text, or in how the artifact is run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from birc.backends import Artifact, Backend, Dtype, Job, Missing, Runner, Spikes
from birc.errors import Diagnostic
from birc.ir.expr import Expr, rebuild, topo
from birc.ir.step import Define, Deliver, Emit, Phase, Put, Statement, Step, Store

Rule = Callable[[Expr], Expr | None]
Change = Callable[[Step], Step]
Rewrite = Callable[[str], str]
Twist = Callable[[Runner], Runner]


class Wrong:
    """A target that emits another program, alters its text, or runs it wrongly."""

    name = "mutant"
    description = "a target with one rule wrong"

    def __init__(self, inner: Backend, change: Change | None = None, rewrite: Rewrite | None = None, twist: Twist | None = None) -> None:
        self.inner, self.change, self.rewrite, self.twist = inner, change, rewrite, twist
        self.levels = inner.levels

    def missing(self) -> Missing | None:
        """What the true target needs."""
        return self.inner.missing()

    def refuse(self, step: Step, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """What the true target refuses."""
        return self.inner.refuse(step, dtype)

    def emit(self, step: Step, dtype: Dtype) -> Artifact:
        """The files of the true target, for the changed program, with the text altered."""
        artifact = self.inner.emit(self.change(step) if self.change else step, dtype)
        if self.rewrite is None:
            return artifact
        files = {name: self.rewrite(text) if isinstance(text, str) else text for name, text in artifact.files.items()}
        return replace(artifact, files=files)

    def load(self, artifact: Artifact) -> Runner:
        """The artifact, run wrongly."""
        runner = self.inner.load(artifact)
        return self.twist(runner) if self.twist else runner


# --- changes of a step program


def rule(apply: Rule, line: str = "", phase: str = "") -> Change:
    """Apply a rule to every expression of the statements from a line of the model (which begins so) and of a phase."""

    def here(statement: Define | Store | Put | Emit | Deliver) -> bool:
        span = statement.span
        return not line or (span is not None and span.source.line(span.line).strip().startswith(line))

    def altered(root: Expr) -> Expr:
        done: dict[Expr, Expr] = {}
        for node in topo(root):
            new = rebuild(node, tuple(done[a] for a in node.args))
            found = apply(new)
            done[node] = new if found is None else found
        return done[root]

    def statement(s: Statement) -> Statement:
        match s:
            case Define() | Store() | Put() if here(s):
                return replace(s, value=altered(s.value))
            case Deliver():
                return replace(s, body=tuple(replace(d, value=altered(d.value)) if here(d) else d for d in s.body))
            case _:
                return s

    def change(step: Step) -> Step:
        phases = tuple(Phase(p.name, tuple(map(statement, p.body))) if phase in ("", p.name) else p for p in step.phases)
        return replace(step, phases=phases)

    return change


def text(pattern: str, new: str) -> Rewrite:
    """Replace what a regular expression finds in the emitted text."""
    return lambda emitted: re.sub(pattern, new, emitted)


# --- wrong ways to run


@dataclass(frozen=True)
class NextInput:
    """Takes the input of k + 1 for the step from k."""

    inner: Runner

    def run(self, job: Job) -> Spikes:
        """Run a job with its inputs one row late."""
        shifted = {name: rows if len(rows) == 1 else rows[[*range(1, len(rows)), len(rows) - 1]] for name, rows in job.inputs.items()}
        return self.inner.run(replace(job, inputs=shifted))


@dataclass(frozen=True)
class LateSpikes:
    """Reports spikes one step late."""

    inner: Runner

    def run(self, job: Job) -> Spikes:
        """Run a job and move the stamps."""
        spikes = self.inner.run(job)
        return Spikes(spikes.index, spikes.stamp + 1)
