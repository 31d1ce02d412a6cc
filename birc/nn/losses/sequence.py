"""What losses over time share: shapes, labels, and the filters of spike trains."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import ops

from birc.nn.mistakes import data_mistake


class SequenceLoss(keras.losses.Loss):  # type: ignore[misc]
    """A loss of [batch, time, neurons] in which each step counts.

    Raises I311 for shapes that do not fit, and for sequences with masked steps, of which the reductions of Keras would make weights
    of samples: what a step that is not there means for the time or the distance of spikes, a loss would have to say.
    `SpikingCrossEntropy` does.
    """

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if mask_of(y_pred) is not None and len(y_pred.shape) > 2:
            raise data_mistake(
                self.who, "steps of the prediction are masked", "average over time in the model: GlobalAveragePooling1D heeds masks"
            )
        arrays = (np.asarray(y) if isinstance(y, (list, tuple)) else y for y in (y_true, y_pred))  # or Keras takes each entry for a tensor
        return super().__call__(*arrays, sample_weight)

    @property
    def who(self) -> str:
        """The loss as messages name it."""
        return type(self).__name__

    def sequence(self, y_pred: Any) -> Any:
        """A prediction of rank 3."""
        if len(y_pred.shape) != 3:
            raise data_mistake(self.who, f"the prediction has shape {shown(y_pred)}; expected [batch, time, neurons]")
        return y_pred

    def one_hot(self, y_true: Any, classes: int | None) -> Any:
        """Targets [batch, classes] of labels [batch] or [batch, 1], or of targets that have that form already.

        A label that is no class makes NaN: in a graph there is no other way to say so.
        """
        if classes is None or classes < 2:
            raise data_mistake(self.who, f"the prediction has {classes} classes; expected a known number, 2 or more")
        shape = tuple(y_true.shape)
        if len(shape) == 2 and shape[1] == classes:
            return y_true
        if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1):
            labels = ops.reshape(y_true, (-1, 1))
            at = ops.expand_dims(ops.arange(classes, dtype=labels.dtype), 0)
            known = ops.any(at == labels, axis=1, keepdims=True)
            return ops.where(known, ops.cast(at == labels, labels.dtype), np.nan)
        raise data_mistake(
            self.who, f"the targets have shape {shown(y_true)} for {classes} classes; expected labels [batch] or one-hot [batch, {classes}]"
        )

    def cross_entropy(self, y_true: Any, logits: Any) -> Any:
        """-sum over classes of target * log softmax(logits), [batch]."""
        targets = self.one_hot(y_true, logits.shape[-1])
        return -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1)

    def same_neurons(self, y_true: Any, y_pred: Any) -> None:
        """Refuses targets of another number of neurons, or of steps."""
        for axis in {1, len(y_true.shape) - 1} if len(y_true.shape) == 3 else {-1}:
            wanted, found = y_pred.shape[axis], y_true.shape[axis]
            if None not in (wanted, found) and wanted != found:
                raise data_mistake(self.who, f"the targets have shape {shown(y_true)}, the prediction {shown(y_pred)}")


def mask_of(x: Any) -> Any:
    """The mask that Keras has put to a tensor, or None. Where a tensor cannot hold one, as JAX's in a graph, Keras keeps it elsewhere."""
    known = getattr(import_module("keras.src.backend"), "get_keras_mask", None)
    return getattr(x, "_keras_mask", None) if known is None else known(x)


def shown(x: Any) -> str:
    """A shape as messages show it."""
    return "[" + ", ".join("?" if n is None else str(n) for n in x.shape) + "]"


def steps_of(x: Any) -> Any:
    """The number of steps, as a number of the type of `x`."""
    return ops.cast(ops.shape(x)[1], x.dtype)


def low_pass(x: Any, decay: float) -> Any:
    """f_k = decay * f_(k-1) + x_k along axis 1 of [batch, time, neurons]: one product with the matrix of the powers of `decay`."""
    stamps = ops.arange(ops.shape(x)[1])
    lag = ops.expand_dims(stamps, 1) - ops.expand_dims(stamps, 0)
    kernel = ops.where(lag >= 0, ops.power(ops.cast(decay, x.dtype), ops.cast(ops.maximum(lag, 0), x.dtype)), 0)
    return ops.einsum("kj,bjn->bkn", kernel, x)


def first_spike_steps(z: Any) -> Any:
    """How many steps go by before the first spike, [batch, neurons]: sum over k of the product over j <= k of (1 - z_j).

    With z in {0, 1} it is the row of the first spike, or the number of steps where there is none; z enters smoothly, so that
    a surrogate's derivative goes through it: one spike more at row j takes away the steps from j to the next one.
    """
    steps = z.shape[1]
    if steps is None:
        _, kept = ops.scan(_survive, ops.ones_like(z[:, 0]), ops.moveaxis(z, 1, 0))
        return ops.sum(kept, axis=0)
    kept, reach = 1 - z, 1  # a product over 1, 2, 4, … rows; `cumprod` has no derivative at 0 in TensorFlow
    while reach < steps:
        kept = kept * ops.concatenate([ops.ones_like(kept[:, :reach]), kept[:, :-reach]], axis=1)
        reach *= 2
    return ops.sum(kept, axis=1)


def _survive(kept: Any, z: Any) -> tuple[Any, Any]:
    kept = kept * (1 - z)
    return kept, kept
