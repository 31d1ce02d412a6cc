"""Derivatives and compilation, on the package with which Keras computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def engine() -> str:
    """tensorflow, jax or torch."""
    return str(keras.backend.backend())


def differentiate(function: Callable[[list[Any]], tuple[Any, Any]], values: list[Any]) -> tuple[Any, Any, list[Any]]:
    """A scalar and what else `function` gives, and the scalar's derivatives with respect to each of `values`; zeros where it has none."""
    if engine() == "jax":
        import jax

        (scalar, other), gradients = jax.value_and_grad(function, has_aux=True)(values)
        return scalar, other, gradients
    if engine() == "torch":
        import torch

        with torch.enable_grad():
            leaves = [v.detach().requires_grad_(True) for v in values]
            scalar, other = function(leaves)
            if not scalar.requires_grad:
                return scalar, other, [torch.zeros_like(v) for v in leaves]
            found = torch.autograd.grad(scalar, leaves, allow_unused=True)
        detached = keras.tree.map_structure(lambda t: t.detach(), other)
        return scalar.detach(), detached, [torch.zeros_like(v) if g is None else g for v, g in zip(leaves, found, strict=True)]
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        scalar, other = function(values)
    return scalar, other, tape.gradient(scalar, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors (in lists), compiled where the package does that."""
    if engine() == "jax":
        import jax

        made: Callable[..., Any] = jax.jit(function)
        return made
    if engine() == "tensorflow":
        import tensorflow as tf

        made = tf.function(function, autograph=False)
        return made
    return function


def in_graph(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors, as a graph in TensorFlow, which would step through a loop over time op by op."""
    return compiled(function) if engine() == "tensorflow" else function


def without_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, of which nothing is kept for a derivative."""
    if engine() != "torch":
        return function
    import torch

    made: Callable[..., Any] = torch.no_grad()(function)
    return made
