"""Work over time that is kept small: `TemporalProcessor`."""

from __future__ import annotations

from typing import Any

from birc.nn.training.chunks import chunked_bptt
from birc.nn.training.sparse import sparse_product


class TemporalProcessor:
    """Long sequences in chunks, and products with few spikes."""

    @staticmethod
    def chunked_bptt(model: Any, inputs: Any, targets: Any, chunk_size: int = 20, overlap: int = 5, sample_weight: Any = None) -> Any:
        """One step of the optimizer on a batch of sequences, by backpropagation through one chunk of time after the other.

        inputs [batch, time, ...]; the model is compiled, and gives one output [batch, time, ...] (no pooling over time: the loss may
        take the whole sequence, as `SpikingCrossEntropy` does); targets are what its loss takes. Gives the loss, a scalar.

        The loss is that of the whole sequence, exactly: states go on from chunk to chunk. Its gradient lacks what flows through
        states further back than the chunk's beginning and `overlap` steps before it, where the chunk is run again to warm up; the
        outputs of those steps count in their own chunk only. With chunk_size >= time the gradient is that of plain
        backpropagation. Memory for the backward pass is that of chunk_size + overlap steps; what is kept of the
        whole sequence is its inputs, outputs, and one state per chunk. The time is that of two forward passes and one backward pass.

        Penalties of a layer's activity are taken of each chunk, weighted with its part of the steps. The sequence begins at the initial
        state of every recurrent layer, also of a stateful one, whose own state stays as it is; metrics are not updated.
        Raises I311 for a model that does not compute the same in pieces: dropout, noise, batch normalisation, plasticity, layers that run
        backwards.
        """
        return chunked_bptt(model, inputs, targets, chunk_size, overlap, sample_weight)

    @staticmethod
    def sparse_spike_processing(spikes: Any, weights: Any) -> Any:
        """spikes [..., inputs] times weights [inputs, outputs], equal to the dense product up to rounding.

        spikes: dense, or sparse as TensorFlow, JAX (BCOO), torch or SciPy have it. Of dense ones it is measured which inputs are active
        anywhere; where these are less than a quarter, and the product is large, only their rows of the weights are gathered and
        multiplied. In a compiled graph, where that is not known, the product is dense. The derivatives are those of the dense
        product, also by silent inputs.
        """
        return sparse_product(spikes, weights)
