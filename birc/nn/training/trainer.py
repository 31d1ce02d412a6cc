"""Training with schedules: `SpikingTrainer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from birc.nn.mistakes import count, data_mistake, option_mistake
from birc.nn.training.curriculum import TemporalCurriculum
from birc.nn.training.spiking import no_spiking_layer, spiking_layers
from birc.nn.training.surrogate import SurrogateScheduler

WHO = "SpikingTrainer"


class SpikingTrainer:
    """Trains a compiled model; what changes from epoch to epoch is set by schedules.

    surrogate_scheduler: sets the slope of the surrogates. temporal_curriculum: how many steps of the sequences an epoch sees; True is
    `TemporalCurriculum()`. Targets with as many steps as the inputs, [batch, time, ...], are cut with them; the model must take
    any number of steps (`keras.Input((None, features))`). spike_regularizer: the activity regularizer of every spiking layer that has
    none. learning_rate: of the epoch, a function of its number, such as a schedule of Keras.
    `epoch` counts the epochs, from 0; `fit` moves it, and whoever calls `train_step` in a loop of their own does.
    """

    def __init__(
        self,
        model: Any,
        surrogate_scheduler: SurrogateScheduler | None = None,
        temporal_curriculum: bool | TemporalCurriculum = False,
        *,
        spike_regularizer: Any = None,
        learning_rate: Callable[[int], Any] | None = None,
    ) -> None:
        self.model, self.surrogate_scheduler, self.learning_rate = model, surrogate_scheduler, learning_rate
        self.temporal_curriculum = TemporalCurriculum() if temporal_curriculum is True else temporal_curriculum or None
        self.epoch = 0
        if not getattr(model, "compiled", False):
            raise option_mistake(WHO, f"the model `{model.name}` is not compiled", 'model.compile("adam", SpikingCrossEntropy(time_steps))')
        if self.temporal_curriculum is not None and model.built:
            shape = getattr(model, "input_shape", None)
            if isinstance(shape, tuple) and len(shape) > 1 and shape[1] is not None:
                message = f"a curriculum shortens sequences, and the model `{model.name}` takes {shape[1]} steps only"
                raise option_mistake(WHO, message, "keras.Input((None, features)) takes any number of steps")
        if spike_regularizer is not None:
            self._regularize(keras.regularizers.get(spike_regularizer))

    def _regularize(self, regularizer: Any) -> None:
        layers = spiking_layers(self.model)
        if not layers:
            raise data_mistake(WHO, f"spike_regularizer: {no_spiking_layer(self.model)}")
        for layer in layers:
            if layer.activity_regularizer is None:
                layer.activity_regularizer = regularizer
        self.model.train_function = None  # what was compiled before does not know of it

    def begin_epoch(self, epoch: int) -> None:
        """Set what depends on the epoch."""
        self.epoch = epoch
        if self.surrogate_scheduler is not None:
            self.surrogate_scheduler.apply(self.model, epoch)
        if self.learning_rate is not None:
            try:
                self.model.optimizer.learning_rate = float(keras.ops.convert_to_numpy(self.learning_rate(epoch)))
            except TypeError as mistake:
                message = "learning_rate: the optimizer has a schedule of its own"
                raise option_mistake(WHO, message, "compile the model with a number") from mistake

    def train_step(self, batch_data: Sequence[Any]) -> dict[str, float]:
        """One step of the optimizer on (x, y) or (x, y, sample_weight), and the loss and metrics of this batch.

        Raises I311 for a batch with NaN.
        """
        self.begin_epoch(self.epoch)
        return self._step(batch_data)

    def _step(self, batch_data: Sequence[Any]) -> dict[str, float]:
        if not isinstance(batch_data, (tuple, list)) or not 2 <= len(batch_data) <= 3:
            raise data_mistake(WHO, "expected a batch (x, y) or (x, y, sample_weight)")
        x, y, weight = (*batch_data, None)[:3]
        check_numbers(x)
        x, y = self._shortened(x, y)
        self.model.reset_metrics()
        logs = self.model.train_on_batch(x, y, sample_weight=weight, return_dict=True)
        return {name: float(keras.ops.convert_to_numpy(value)) for name, value in logs.items()}

    def _shortened(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The first steps, as many as the curriculum allows."""
        if self.temporal_curriculum is None:
            return x, y
        if len(x.shape) < 3:
            raise data_mistake(WHO, f"a curriculum needs inputs [batch, time, ...]; they have shape {list(x.shape)}")
        steps = x.shape[1]
        kept = self.temporal_curriculum.steps(self.epoch, steps)
        timed = len(y.shape) > 2 and y.shape[1] == steps
        return x[:, :kept], y[:, :kept] if timed else y

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        sample_weight: Any = None,
        validation_data: Any = None,
        callbacks: Sequence[Any] = (),
        shuffle: bool = True,
        seed: int = 0,
        verbose: Any = "auto",
    ) -> Any:
        """Train for some epochs, counted from 0, and give Keras' `History`.

        x: arrays with y, or a data set of batches. Without a curriculum this is `model.fit`; with one, batches are given one by one, in
        an order drawn from `seed`, and validation sees whole sequences.
        """
        epochs, batch_size = count(WHO, "epochs", epochs), count(WHO, "batch_size", batch_size)
        arrays = y is not None
        if arrays:
            check_numbers(x)
        if self.temporal_curriculum is None:
            fed = {"batch_size": batch_size, "shuffle": shuffle, "sample_weight": sample_weight} if arrays else {}
            own = [keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: self.begin_epoch(epoch)), *callbacks]
            return self.model.fit(x, y, epochs=epochs, validation_data=validation_data, callbacks=own, verbose=verbose, **fed)
        listeners = keras.callbacks.CallbackList(
            list(callbacks), add_history=True, add_progbar=verbose not in (0, "0"), model=self.model, verbose=1, epochs=epochs, steps=None
        )
        self.model.stop_training = False
        listeners.on_train_begin()
        random = np.random.default_rng(seed)
        for epoch in range(epochs):
            self.begin_epoch(epoch)
            listeners.on_epoch_begin(epoch)
            logs = self._epoch(_batches(x, y, sample_weight, batch_size, random if shuffle else None), listeners)
            if validation_data is not None:
                whole = validation_data if isinstance(validation_data, tuple) else (validation_data,)
                found = self.model.evaluate(*whole, batch_size=batch_size if arrays else None, verbose=0, return_dict=True)
                logs |= {f"val_{name}": value for name, value in found.items()}
            listeners.on_epoch_end(epoch, logs)
            if self.model.stop_training:
                break
        listeners.on_train_end(logs)
        return self.model.history

    def _epoch(self, batches: Iterator[Sequence[Any]], listeners: Any) -> dict[str, float]:
        """The means over the samples of an epoch."""
        total: dict[str, float] = {}
        samples = 0
        for number, batch in enumerate(batches):
            listeners.on_train_batch_begin(number)
            logs = self._step(batch)
            size = len(batch[0])
            samples += size
            total = {name: total.get(name, 0.0) + size * value for name, value in logs.items()}
            listeners.on_train_batch_end(number, logs)
        if not samples:
            raise data_mistake(WHO, "the data set has no batches")
        return {name: value / samples for name, value in total.items()}


def check_numbers(x: Any) -> None:
    """Raises I311 where an array of NumPy has NaN or infinite values."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and not np.isfinite(x).all():
        bad = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))
        raise data_mistake(WHO, f"{len(bad)} of {len(x)} samples have values that are NaN or infinite, the first one number {bad[0]}")


def _batches(x: Any, y: Any, sample_weight: Any, batch_size: int, random: np.random.Generator | None) -> Iterator[Sequence[Any]]:
    if y is not None:
        arrays = [np.asarray(a) for a in (x, y, sample_weight) if a is not None]
        order = np.arange(len(arrays[0])) if random is None else random.permutation(len(arrays[0]))
        for start in range(0, len(order), batch_size):
            yield [a[order[start : start + batch_size]] for a in arrays]
    elif isinstance(x, keras.utils.PyDataset):
        yield from (x[i] for i in range(len(x)))
        x.on_epoch_end()
    else:
        yield from x
