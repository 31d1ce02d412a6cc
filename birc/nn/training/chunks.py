"""Backpropagation through time in chunks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
from keras import ops

from birc.nn.mistakes import count, data_mistake, option_mistake
from birc.nn.training.pieces import WHO, Pieces


def chunked_gradients(
    model: Any, inputs: Any, targets: Any, chunk_size: int = 20, overlap: int = 5, sample_weight: Any = None
) -> tuple[Any, list[Any]]:
    """The loss of a sequence and its gradient by `model.trainable_variables`, kept for one chunk at a time; see `chunked_bptt`."""
    chunk_size, overlap = count(WHO, "chunk_size", chunk_size), count(WHO, "overlap", overlap, least=0)
    x = ops.convert_to_tensor(inputs)
    if not getattr(model, "compiled", False) or model.loss is None:
        raise option_mistake(WHO, f"the model `{model.name}` is not compiled with a loss", 'model.compile("adam", loss)')
    if len(x.shape) < 3:
        raise data_mistake(WHO, f"inputs of shape {list(x.shape)}; expected [batch, time, ...]")
    if not model.built:
        model.build(x.shape)
    batch, steps = int(x.shape[0]), int(x.shape[1])
    pieces = Pieces.of(model, batch)
    trainables, others = pieces.values()
    ends = [min(start + chunk_size, steps) for start in range(0, steps, chunk_size)]
    begins = [max(0, start - overlap) for start in range(0, steps, chunk_size)]

    # Outputs and the states at which chunks begin; nothing else is kept.
    states: dict[int, list[Any]] = {0: []}
    outputs = []
    marks = [*sorted(set(begins)), steps]
    for begin, end in pairwise(marks):
        y, states[end] = pieces.forward(trainables, others, states[begin], x[:, begin:end])
        check_output(y, end - begin)
        outputs.append(y)

    whole = ops.concatenate(outputs, axis=1)
    weights = [] if sample_weight is None else [ops.convert_to_tensor(sample_weight)]
    loss, upstream = pieces.upstream(trainables, others, whole, ops.convert_to_tensor(targets), weights)
    total = [ops.zeros_like(v) for v in trainables]
    counted = 0
    for begin, end in zip(begins, ends, strict=True):
        warm = ops.zeros_like(upstream[:, begin:counted])
        chunk = ops.concatenate([warm, upstream[:, counted:end]], axis=1)
        share = ops.cast((end - counted) / steps, keras.config.floatx())
        penalty, gradients = pieces.backward(trainables, others, states[begin], x[:, begin:end], chunk, share)
        loss, total = loss + penalty, [a + b for a, b in zip(total, gradients, strict=True)]
        counted = end
    return loss, total


def check_output(y: Any, steps: int) -> None:
    """Raises I311 for what is no sequence of so many steps."""
    if isinstance(y, (list, tuple, dict)):
        raise data_mistake(WHO, "the model has several outputs; expected one, [batch, time, ...]")
    if len(y.shape) < 3 or y.shape[1] != steps:
        message = f"an output of shape {list(y.shape)} for {steps} steps; expected [batch, time, ...]"
        raise data_mistake(WHO, message, "leave the mean over time to the loss, as SpikingCrossEntropy takes it")


def chunked_bptt(model: Any, inputs: Any, targets: Any, chunk_size: int = 20, overlap: int = 5, sample_weight: Any = None) -> Any:
    """See `TemporalProcessor.chunked_bptt`."""
    loss, gradients = chunked_gradients(model, inputs, targets, chunk_size, overlap, sample_weight)
    scale = model.optimizer.scale_loss(ops.ones(()))  # an optimizer that scales losses divides by it
    model.optimizer.apply([g * ops.cast(scale, g.dtype) for g in gradients], model.trainable_variables)
    return loss
