"""Differentiates an emitted layer with the package that Keras computes with, in a process of its own: that package cannot be changed later.

`python -m birc.backends.keras.derive FOLDER` reads `layer.py` and `lesson.npz` there and writes `learned.npz`. Numbers are float64.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from birc.backends import Artifact, Learned, Lesson, Missing
from birc.errors import BircError

Derivative = Callable[[Callable[[Sequence[Any]], Any], Sequence[Any]], Sequence[Any]]


@dataclass(frozen=True)
class KerasEngine:
    """See `birc.backends.Engine`: a layer under the loop of Keras, which the package differentiates by itself, or by a sweep over all rows,
    which has the derivative that was emitted with it."""

    package: str
    swept: bool = False

    @property
    def name(self) -> str:
        """The package, and the way."""
        return f"{self.package}, sweep" if self.swept else self.package

    @property
    def level(self) -> str:
        """Keras on torch chooses between float64 tensors in float32."""
        return "L2" if self.package == "torch" else "L1"

    def missing(self) -> Missing | None:
        """Keras and the engine."""
        for package in ("keras", self.package):
            if find_spec(package) is None:
                return Missing(package, f"pip install {package}")
        return None

    def learn(self, artifact: Artifact, lesson: Lesson) -> Learned:
        """Raises X301 where the process fails."""
        ((_, text),) = artifact.files.items()
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            (folder / "layer.py").write_text(str(text), "utf-8")
            arguments = artifact.manifest["arguments"]
            told = {
                "layer": artifact.manifest["layer"],
                "dt": lesson.dt,
                "params": {arguments[name]: value for name, value in lesson.params.items()},
                "learn": [arguments[name] for name in lesson.learn],
                "ports": list(lesson.inputs),
                "output": list(lesson.up),
                "surrogate": lesson.surrogate,
                "swept": self.swept,
            }
            arrays = {f"input {p}": a for p, a in lesson.inputs.items()} | {f"up {o}": a for o, a in lesson.up.items()}
            np.savez(folder / "lesson.npz", **{"told": np.array(json.dumps(told)), **arrays})  # type: ignore[arg-type]
            command = [sys.executable, "-m", "birc.backends.keras.derive", place]
            own = {"BIRC_SWEEP": "1" if self.swept else "0"}  # else the compiler's derivative would only be held to itself
            environment = {**os.environ, **own, "KERAS_BACKEND": self.package, "JAX_ENABLE_X64": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0 or not (folder / "learned.npz").exists():
                said = [line for line in done.stderr.splitlines() if "Error" in line or "cannot" in line.lower()]
                last = (said or ["it ended without a word"])[-1].strip()
                raise BircError("X301", f"Keras on {self.package} does not differentiate the layer: {last}")
            with np.load(folder / "learned.npz") as found:
                parts = {
                    kind: {k.partition(" ")[2]: found[k] for k in found if k.startswith(kind)} for kind in ("seen ", "input ", "param ")
                }
        names = {argument: name for name, argument in arguments.items()}
        return Learned(parts["seen "], parts["input "], {names[a]: value for a, value in parts["param "].items()})


def derive(folder: Path) -> None:
    """What the process does."""
    keras = importlib.import_module("keras")
    keras.config.set_floatx("float64")
    module = ModuleType("birc_derived")
    sys.modules["birc_derived"] = module
    text = (folder / "layer.py").read_text("utf-8")
    exec(compile(text, str(folder / "layer.py"), "exec"), module.__dict__)
    with np.load(folder / "lesson.npz") as lesson:
        told = json.loads(str(lesson["told"]))
        inputs = [lesson[f"input {port}"] for port in told["ports"]]
        ups = [lesson[f"up {name}"] for name in told["output"]]
    layer = getattr(module, told["layer"])(
        dt=told["dt"],
        ports=told["ports"],
        output=told["output"],
        learn=told["learn"],
        per_feature=True,
        surrogate=told["surrogate"],
        dtype="float64",
        **told["params"],
    )
    given = [keras.ops.convert_to_tensor(a[None], "float64") for a in inputs]
    layer.build([tuple(a.shape) for a in given] if len(given) > 1 else tuple(given[0].shape))
    weights = [layer.cell.learned[a] for a in told["learn"]]
    scales = [module.PORTS[port] for port in told["ports"]]
    out_scales = [dict.fromkeys(["spikes"], 1.0).get(o) or _scale(module, o) for o in told["output"]]

    def run(xs: Sequence[Any]) -> list[Any]:
        found = layer([x / s for x, s in zip(xs, scales, strict=True)] if len(xs) > 1 else xs[0] / scales[0])
        return [y * s for y, s in zip(found, out_scales, strict=True)]

    calls = _counted(module)
    seen, by_input, by_weight = DERIVATIVES[keras.backend.backend()](run, given, weights, ups)
    if bool(calls) is not told["swept"]:
        raise RuntimeError(f"Error: the layer ran {'by a sweep' if calls else 'under the loop of Keras'}")
    to_numpy = keras.ops.convert_to_numpy
    arrays = {f"seen {o}": to_numpy(y)[0] for o, y in zip(told["output"], seen, strict=True)}
    arrays |= {f"input {p}": to_numpy(g)[0] for p, g in zip(told["ports"], by_input, strict=True)}
    of = {row.argument: row.scale for row in module.PARAMETERS.values()}
    arrays |= {f"param {a}": to_numpy(g) / of[a] for a, g in zip(told["learn"], by_weight, strict=True)}
    np.savez(folder / "learned.npz", **arrays)


def _counted(module: ModuleType) -> list[object]:
    """Grows with each sweep of the module's layers."""
    calls: list[object] = []
    original = module.__dict__["swept"]

    def counted(*arguments: Any) -> Any:
        calls.append(original)
        return original(*arguments)

    module.__dict__["swept"] = counted
    return calls


def _scale(module: Any, name: str) -> float:
    return float(module.SLOTS[name][2] if name in module.SLOTS else module.OUTPUTS[name])


def _on_tensorflow(run: Any, given: Any, weights: Any, ups: Any) -> Any:
    tensorflow = importlib.import_module("tensorflow")
    variables = [w.value for w in weights]

    def whole(given: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            for x in given:
                tape.watch(x)
            seen = run(given)
            loss = sum(tensorflow.reduce_sum(y * up[None]) for y, up in zip(seen, ups, strict=True))
        return seen, tape.gradient(loss, [*given, *variables], unconnected_gradients="zero")

    if os.environ["BIRC_SWEEP"] == "1":
        whole = tensorflow.function(whole, autograph=False)  # sweeps are parts of graphs
    seen, found = whole(given)
    return seen, found[: len(given)], found[len(given) :]


def _on_jax(run: Any, given: Any, weights: Any, ups: Any) -> Any:
    jax, keras = importlib.import_module("jax"), importlib.import_module("keras")

    def loss(xs: Any, values: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(weights, values, strict=True))):
            seen = run(xs)
        return sum((y * up[None]).sum() for y, up in zip(seen, ups, strict=True)), seen

    (by_input, by_weight), seen = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(list(given), [w.value for w in weights])
    return seen, by_input, by_weight


def _on_torch(run: Any, given: Any, weights: Any, ups: Any) -> Any:
    torch = importlib.import_module("torch")
    given = [x.detach().requires_grad_(True) for x in given]
    seen = run(given)
    loss = sum((y * torch.as_tensor(up[None])).sum() for y, up in zip(seen, ups, strict=True))
    leaves = [*given, *(w.value for w in weights)]
    found = torch.autograd.grad(loss, leaves, allow_unused=True)
    found = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)]
    return [y.detach() for y in seen], found[: len(given)], found[len(given) :]


SWEEPING = ("tensorflow", "jax")
"""Packages that compile loops."""
DERIVATIVES: dict[str, Any] = {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}

if __name__ == "__main__":
    derive(Path(sys.argv[1]))
