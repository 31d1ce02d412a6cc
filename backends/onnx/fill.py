"""Numbers in the graphs: bind values, and in the Scan initial states, become defaults that a caller may replace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from birc.backends import FLOATS, Artifact, Numbers
from birc.backends.onnx.emit import SCAN, STEP


def fill(artifact: Artifact, numbers: Numbers) -> Artifact:
    """The artifact with an initializer for each input that the numbers know; in the Scan one state serves all neurons."""
    names = artifact.manifest["onnx"]
    kinds = {slot.name: slot.kind for slot in artifact.step.slots}
    types: dict[str, Any] = {"real": FLOATS[artifact.dtype], "int": np.int32, "bool": np.bool_}
    binds = {tensor: _number(numbers.bind[name], FLOATS[artifact.dtype]) for name, tensor in names.get("bind", {}).items()}
    states = {tensor: np.atleast_1d(numbers.initial[name]).astype(types[kinds[name]]) for name, tensor in names.get("slot", {}).items()}
    files = {SCAN: _with(artifact.files[SCAN], binds | states), STEP: _with(artifact.files[STEP], binds)}
    return replace(artifact, files={**artifact.files, **files})


def _number(x: Any, real: type[np.floating[Any]]) -> Any:
    a = np.atleast_1d(x)
    return a.astype(real if a.dtype.kind == "f" else np.int32)


def _with(data: str | bytes, values: dict[str, Any]) -> bytes:
    import onnx

    assert isinstance(data, bytes)
    model = onnx.load_from_string(data)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in values.items())
    result: bytes = model.SerializeToString(deterministic=True)
    return result
