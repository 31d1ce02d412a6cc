"""The runners that the kit is held against: the interpreter and every backend that can run here."""

from __future__ import annotations

import warnings
from functools import cache

import pytest

from birc.backends import Dtype, Missing, Runner, load_backend
from birc.verification.oracle import Oracle
from tests.conformance.kit import step_of

TARGETS: tuple[tuple[str, Dtype], ...] = (
    ("interpreter", "f64"),
    *((target, dtype) for dtype in ("f64", "f32") for target in ("numpy", "native", "onnx", "keras")),
    ("nir", "f64"),
)
TAKES: dict[str, frozenset[str]] = {"nir": frozenset(("delta_0", "units"))}
"""The rows that a target takes, where it does not take all; it has to refuse the others."""


@cache
def runner(target: str, dtype: Dtype, model: str) -> Runner:
    """A model of the kit on a target."""
    if target == "interpreter":
        return Oracle(step_of(model), dtype)
    backend = load_backend(target)
    return backend.load(backend.emit(step_of(model), dtype))


@cache
def refuses(target: str, dtype: Dtype, model: str) -> str:
    """Why a target does not take a model of the kit; empty where it does."""
    if target == "interpreter":
        return ""
    return "; ".join(reason.message for reason in load_backend(target).refuse(step_of(model), dtype))


def need(target: str) -> None:
    """Skip, and say so in the summary of warnings too, where this machine cannot run a target."""
    missing = lacks(target)
    if missing is not None:
        text = f"the target {target} is NOT tested: this machine lacks {missing.what}; {missing.how}"
        warnings.warn(text, stacklevel=2)
        pytest.skip(text)


@cache
def lacks(target: str) -> Missing | None:
    """What this machine lacks for a target."""
    return None if target == "interpreter" else load_backend(target).missing()
