"""Batches that are encoded when they are wanted, so that the spikes of a whole data set are never in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import keras
import numpy as np

from birc.nn.encoding.encoder import encoder
from birc.nn.encoding.intensity import Array
from birc.nn.mistakes import count, data_mistake


class EncodedDataset(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches (spikes, y) or (spikes, y, sample_weight) of data that are encoded batch by batch, on every Keras.

    encode: the name of an encoder ("poisson", "rate", …) or a function of data; options: what it is given besides.
    The batches of an epoch are shuffled anew, and an encoder that takes a `seed` gets one of `seed`, epoch and batch: the same
    data set gives the same spikes in every run, others in each epoch. kwargs: of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        encode: str | Callable[..., Array] = "poisson",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int = 0,
        options: Mapping[str, Any] | None = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encode, self.options = encoder("EncodedDataset", encode), dict(options or {})
        self.batch_size, self.shuffle, self.seed, self.epoch = count("EncodedDataset", "batch_size", batch_size), shuffle, seed, 0
        self.arrays = [np.asarray(a) for a in (x, y, sample_weight) if a is not None]
        lengths = [len(a) for a in self.arrays]
        if len(set(lengths)) > 1 or not lengths or not lengths[0]:
            raise data_mistake("EncodedDataset", f"x, y and sample_weight have {lengths} samples")
        self.takes_seed = "seed" in signature(self.encode).parameters and "seed" not in self.options
        self.order = self._order()

    def _order(self) -> Array:
        length = len(self.arrays[0])
        return np.random.default_rng([self.seed, self.epoch]).permutation(length) if self.shuffle else np.arange(length)

    def __len__(self) -> int:
        return -(-len(self.arrays[0]) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Array, ...]:
        x, *rest = (a[self.order[index * self.batch_size : (index + 1) * self.batch_size]] for a in self.arrays)
        drawn = {"seed": [self.seed, self.epoch, index]} if self.takes_seed else {}
        return self.encode(x, **drawn, **self.options), *rest

    def on_epoch_end(self) -> None:
        """Another order and other spikes."""
        self.epoch += 1
        self.order = self._order()


def encoded_tf_dataset(dataset: Any, encode: str | Callable[..., Array] = "poisson", seed: int = 0, **options: Any) -> Any:
    """A `tf.data.Dataset` of batches whose first part is encoded: x, or (x, y), or (x, y, sample_weight).

    An encoder that takes a `seed` gets one of `seed` and the number of the batch; each pass over the data set gives the same spikes.
    """
    import tensorflow as tf

    function = encoder("encoded_tf_dataset", encode)
    takes_seed = "seed" in signature(function).parameters

    def mapped(index: Any, batch: Any) -> Any:
        x, *rest = batch if isinstance(batch, tuple) else (batch,)

        def spikes(number: Any, data: Any) -> Array:
            drawn = {"seed": [seed, int(number)]} if takes_seed else {}
            found: Array = function(np.asarray(data), **drawn, **options)
            return found

        encoded = tf.numpy_function(spikes, [index, x], tf.float32)
        if None not in x.shape[1:]:
            encoded.set_shape([x.shape[0], *spikes(0, np.zeros((1, *x.shape[1:]), x.dtype.as_numpy_dtype)).shape[1:]])
        return (encoded, *rest) if rest else encoded

    return dataset.enumerate().map(mapped)
