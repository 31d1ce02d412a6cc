"""Targets that run networks with one rule wrong: in a step program, in the reference's loop, in emitted text, or in the wiring."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import replace

from birc.backends import Backend, Dtype, Missing
from birc.backends.networks import Builder, NetworkArtifact, NetworkRunner, RunsNetworks
from birc.backends.numpy import network as loop
from birc.errors import Diagnostic
from birc.ir.connectivity.build import wire
from birc.ir.network import NetworkProgram
from tests.mutants.wrong import Change, Rewrite

ReBuild = Callable[[Builder], Builder]


class WrongNetworks:
    """A target whose network programs, text or synapses are altered.

    rewrite: of the emitted text; of NumPy, whose emitted text holds step programs only, of the loop around them.
    """

    name = "mutant"
    description = "a target with one rule wrong"

    def __init__(self, inner: Backend, change: Change | None, rewrite: Rewrite | None, rebuild: ReBuild | None) -> None:
        assert isinstance(inner, RunsNetworks)
        self.networks: RunsNetworks = inner
        self.inner, self.change, self.rewrite, self.rebuild = inner, change, rewrite, rebuild

    def missing(self) -> Missing | None:
        """What the true target needs."""
        return self.inner.missing()

    def refuse_network(self, program: NetworkProgram, dtype: Dtype) -> tuple[Diagnostic, ...]:
        """What the true target refuses."""
        return self.networks.refuse_network(program, dtype)

    def emit_network(self, program: NetworkProgram, dtype: Dtype) -> NetworkArtifact:
        """The files of the true target, with their text altered."""
        artifact = self.networks.emit_network(program, dtype)
        if self.rewrite is None or self.inner.name == "numpy":
            return artifact
        return replace(artifact, files={name: _altered(self.rewrite, str(text)) for name, text in artifact.files.items()})

    def load_network(self, artifact: NetworkArtifact) -> NetworkRunner:
        """The artifact, loaded; on NumPy with another loop, or with other step programs."""
        if self.inner.name == "numpy" and self.rewrite is not None:
            module = types.ModuleType("wrong_loop")
            exec(_altered(self.rewrite, inspect.getsource(loop)), module.__dict__)
            runner: NetworkRunner = module.load_network(artifact)
            return runner
        if self.change is not None:
            changed = {step: self.change(step) for step in loop.programs(artifact.program)}
            assert any(step != other for step, other in changed.items())
            return loop.loop_of(changed, artifact.dtype)
        return self.networks.load_network(artifact)

    def builder(self) -> Builder:
        """The reference's builder, altered."""
        return self.rebuild(wire) if self.rebuild else wire


def _altered(rewrite: Rewrite, text: str) -> str:
    other = rewrite(text)
    assert other != text
    return other


def wired_with(*flags: str) -> ReBuild:
    """Synapses are made as if more flags stood behind the rule."""
    return lambda build: lambda wiring, *rest: build(replace(wiring, flags=wiring.flags | set(flags)), *rest)


def lines(old: str, new: str) -> Rewrite:
    """Other text in the place of one that is there once."""

    def rewrite(text: str) -> str:
        assert text.count(old) == 1, f"{text.count(old)} times: {old}"
        return text.replace(old, new)

    return rewrite


def all_of(*rewrites: Rewrite) -> Rewrite:
    """One after the other."""

    def rewrite(text: str) -> str:
        for each in rewrites:
            text = each(text)
        return text

    return rewrite
