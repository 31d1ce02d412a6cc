"""The right-hand sides of a model as it is written, with its `let`s, functions and channels: the judge of the passes that inline them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from birc.ir.expr import Expr, topo
from birc.ir.model import Model
from birc.ir.ops import evaluate_op


@dataclass(frozen=True)
class Scope:
    """Where a name is looked up: a model, under the prefix that its names have in its host."""

    model: Model
    values: Mapping[str, Any]
    prefix: str = ""
    host: Scope | None = None

    def of(self, e: Expr, local: Mapping[str, Any] | None = None) -> Any:
        """The value of an expression; `local` are a function's arguments."""
        done: dict[Expr, Any] = {}
        for node in topo(e):
            args = tuple(done[a] for a in node.args)
            match node.op:
                case "const":
                    done[node] = np.asarray(node.attr)
                case "var":
                    done[node] = self.name(str(node.attr), local or {})
                case "call":
                    function = next(f for f in self.model.functions if f.name == node.attr)
                    done[node] = self.of(function.value, dict(zip((n for n, _ in function.parameters), args, strict=True)))
                case _:
                    done[node] = evaluate_op(node, args)
        return done[e]

    def name(self, name: str, local: Mapping[str, Any]) -> Any:
        """The value of a name: an argument, a `let`, a member of a channel, something of this model's own, or the host's."""
        model = self.model
        if name in local:
            return local[name]
        alias, dot, member = name.partition(".")
        if dot and alias in {u.alias for u in model.uses}:
            return self.channel(alias).name(member, {})
        let = next((x for x in model.lets if x.name == name), None)
        if let is not None:
            return self.of(let.value)
        own = {x.name for group in (model.params, model.states, model.inputs, model.noises) for x in group}
        if self.host is not None and name not in own:
            return self.host.name(name, {})
        return np.asarray(self.values[self.prefix + name])

    def channel(self, alias: str) -> Scope:
        """The scope of a used channel."""
        use = next(u for u in self.model.uses if u.alias == alias)
        return Scope(use.channel, self.values, f"{self.prefix}{alias}.", self)


def evaluate_written(model: Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """What `evaluate_model` gives for the inlined model, from the model as it is written."""
    scope = Scope(model, values)
    with np.errstate(all="ignore"):
        found = _equations(scope)
        found |= {f"output {o.name}": scope.of(o.value) for o in model.outputs}
        for h in model.handlers:
            found |= {f"on {h.port} {i}": scope.of(u.value) for i, u in enumerate(h.body)}
        if model.spike:
            found["spike"] = scope.of(model.spike.condition)
            found |= {f"reset {i} {u.target}": scope.of(u.value) for i, u in enumerate(model.spike.body)}
        if model.refractory:
            found["refractory"] = scope.of(model.refractory.duration)
    return found


def _equations(scope: Scope) -> dict[str, Any]:
    found = {f"{scope.prefix}{o.state}'": scope.of(o.rhs) for o in scope.model.odes}
    found |= {f"step {scope.prefix}{r.state}": scope.of(r.value) for r in scope.model.step_rules}
    for use in scope.model.uses:
        found |= _equations(scope.channel(use.alias))
    return found


def random_values(model: Model, seed: int, n: int = 9) -> dict[str, Any]:
    """A number for every name of an inlined model, payloads among them; a few are 0."""
    rng = np.random.default_rng(seed)
    groups = (model.params, model.states, model.inputs, model.noises)
    names = [x.name for group in groups for x in group] + [h.payload for h in model.handlers if h.payload] + ["elapsed"]
    return {name: rng.normal(0, 3, n) * (rng.random(n) > 0.1) for name in names}
