"""Neurons that are driven through synapses which learn from their spikes: the layer behind every rule with a postsynaptic side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from birc.backends.keras.run import load_keras
from birc.nn.plasticity.arguments import mistake, whole_number
from birc.nn.plasticity.inputs import check_sequence, events
from birc.nn.plasticity.parts import neuron_cell, synapse_module, synapses

keras: Any = load_keras()
ops: Any = keras.ops


class Inside(keras.initializers.Initializer):  # type: ignore[misc]
    """What another initialiser gives, kept in the range of the weights."""

    def __init__(self, inner: Any, low: float, high: float) -> None:
        self.inner, self.low, self.high = inner, low, high

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.clip(self.inner(shape, dtype=dtype), self.low, self.high)


class PlasticCell(keras.layers.Layer):  # type: ignore[misc]
    """One step of synapses and neurons, for `keras.layers.RNN`.

    Its input holds, in a row, spikes [features], what a derivative by the kernel adds to what arrives (0) [units], the continuous inputs
    of the synapses, and normal numbers for the neurons' noise. Its state is that of the neurons, then that of the synapses.
    """

    def __init__(self, module: Any, synapses: Any, neuron: Any, features: int, draws: int, **options: Any) -> None:
        super().__init__(**{"dtype": module.REAL, **options})
        self.module, self.synapses, self.neuron, self.features, self.draws = module, synapses, neuron, features, draws
        self.state_size = [*neuron.state_size, *([features] * len(module.STATE))]
        self.output_size = neuron.output_size

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state at stamp 0."""
        synaptic = self.synapses.initial(batch_size, self.features, self.neuron.units)
        return [*self.neuron.get_initial_state(batch_size), *synaptic.values()]

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, list[Any]]:
        module, units, count = self.module, self.neuron.units, len(self.neuron.state_size)
        ends = (self.features, self.features + units, self.features + units + len(module.PORTS))
        spikes, by_gradient, given, draws = ops.split(inputs, ends, axis=-1)
        ports = {port: ops.reshape(given[:, i], (-1, 1, 1)) * scale for i, (port, scale) in enumerate(module.PORTS.items())}
        state = dict(zip(module.STATE, states[count:], strict=True))
        state = self.synapses.flow(state, ports)
        state, sent = self.synapses.pre(state, spikes, ports)
        arrived = ops.sum(sent, axis=1) / module.SLOTS[module.WEIGHT][2] + by_gradient
        out, neurons = self.neuron(ops.concatenate([arrived, draws], axis=-1), states[:count])
        fired = ops.stop_gradient(out[:, :units])
        state = self.synapses.rise(self.synapses.post(state, fired, ports), spikes, fired)
        return out, [*neurons, *(ops.stop_gradient(state[part]) for part in module.STATE)]


class PlasticLayer(keras.layers.Layer):  # type: ignore[misc]
    """`units` neurons behind a kernel [features, units] that learns by the rule of a synapse of the library.

    Subclasses name the synapse and the range of its weights. See `STDPLayer` for what holds.
    """

    FILE: ClassVar[str]
    MODEL: ClassVar[str]

    def __init__(
        self,
        units: int,
        parameters: Mapping[str, Any],
        low: Any,
        high: Any,
        *,
        neuron: Any,
        neuron_options: Mapping[str, Any] | None,
        port: str | None,
        output: str,
        dt: Any,
        kernel_initializer: Any,
        trainable_by_gradient: bool,
        stateful: bool,
        return_sequences: bool,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = whole_number(type(self).__name__, self.name, "units", units)
        self.dt, self.neuron, self.port, self.output_name = dt, neuron, port, output
        self.neuron_options = dict(neuron_options or {})
        self.trainable_by_gradient, self.stateful, self.return_sequences = trainable_by_gradient, stateful, return_sequences
        self.module = synapse_module(self.FILE, self.MODEL)
        self.synapses = synapses(self.module, type(self).__name__, self.name, dt, parameters)
        self.low, self.high = float(low), float(high)
        if not self.low < self.high:
            raise self.mistake(f"w_min = {self.low:g} is not below w_max = {self.high:g}")
        uniform = keras.initializers.RandomUniform(self.low, self.high)
        self.kernel_initializer = uniform if kernel_initializer is None else keras.initializers.get(kernel_initializer)
        made = neuron_cell(type(self).__name__, self.name, neuron, self.units, dt, port, output, self.neuron_options)
        self.cell, self.neuron_module, self.port_used = made
        self.random = keras.random.SeedGenerator() if self.neuron_module.DRAWS else None

    def mistake(self, message: str, help: str | None = None) -> Exception:
        """I301 about this layer."""
        return mistake(type(self).__name__, self.name, message, help)

    # --- Keras

    def __call__(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        features = self.kernel.shape[0] if self.built else None
        check_sequence(self, inputs[0] if isinstance(inputs, (list, tuple)) else inputs, features)
        return super().__call__(inputs, *arguments, **options)

    def build(self, inputs_shape: Any) -> None:
        """Make the kernel, and with `stateful` the state that lasts."""
        batch, _, features = inputs_shape
        real = self.module.REAL
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=Inside(self.kernel_initializer, self.low, self.high),
            trainable=self.trainable_by_gradient,
            dtype=real,
            autocast=False,
        )
        if self.trainable_by_gradient:
            self.learned = self.add_weight(
                name="learned", shape=(features, self.units), initializer="zeros", trainable=False, dtype=real, autocast=False
            )
        draws = len(self.neuron_module.DRAWS)
        learning = PlasticCell(self.module, self.synapses, self.cell, features, draws, name="learning_cell")
        flags = {"return_sequences": self.return_sequences, "return_state": True, "dtype": real}
        self.alone = keras.layers.RNN(self.cell, name="neurons", **flags)
        self.alone.build((batch, None, self.units * (1 + draws)))
        self.learning = keras.layers.RNN(learning, name="learning", **flags)
        self.learning.build((batch, None, features + self.units * (1 + draws) + len(self.module.PORTS)))
        self.lasting = self._lasting(batch, learning) if self.stateful else []
        self.built = True

    def _lasting(self, batch: int | None, cell: PlasticCell) -> list[Any]:
        """Weights for everything that lasts from call to call beside the kernel: neurons, traces, eligibilities."""
        if batch is None:
            raise self.mistake("a layer that is stateful needs the size of the batch", "give it: `keras.Input(batch_shape=(1, None, 100))`")
        names = [f"neuron_{i}" for i in range(len(self.cell.state_size))]
        names += [part.strip(".").replace(".", "_") for part in self.module.STATE]
        start = [ops.convert_to_numpy(x) for x in cell.get_initial_state(batch)]
        return [
            self.add_weight(
                name=name,
                shape=x.shape,
                initializer=keras.initializers.Constant(x),
                trainable=False,
                dtype=self.module.REAL,
                autocast=False,
            )
            for name, x in zip(names, start, strict=True)
        ]

    def weights_now(self) -> Any:
        """The synapses' weights [features, units], in the unit of the port: the kernel with what the rule made of it, in its range."""
        kernel = ops.convert_to_tensor(self.kernel)
        return ops.clip(kernel + ops.convert_to_tensor(self.learned), self.low, self.high) if self.trainable_by_gradient else kernel

    def _run(self, sequence: Any, modulators: list[Any], training: bool | None) -> Any:
        """The output of the neurons; in training the weights change on the way, and the mean of the samples' weights is kept."""
        real, scale = self.module.REAL, self.module.SLOTS[self.module.WEIGHT][2]
        spikes = ops.cast(sequence, real)
        batch = ops.shape(spikes)[0]
        weights = ops.stop_gradient(self.weights_now())
        kernel = ops.convert_to_tensor(self.kernel)
        change = (kernel - ops.stop_gradient(kernel)) if self.trainable_by_gradient else None  # 0, with a derivative
        shape = (batch, ops.shape(spikes)[1], self.units)
        draws = [keras.random.normal(shape, dtype=real, seed=self.random) for _ in self.neuron_module.DRAWS]
        count = len(self.cell.state_size)
        if not (training and self.trainable):
            arrived = ops.matmul(events(spikes), weights if change is None else weights + change)
            start = [ops.copy(x) for x in self.lasting[:count]] or self.cell.get_initial_state(batch)
            out, *states = self.alone(ops.concatenate([arrived, *draws], axis=-1), initial_state=start)
            self._keep(self.lasting[:count], states)
            return self._shown(out)
        by_gradient = ops.zeros(shape, real) if change is None else ops.matmul(ops.stop_gradient(events(spikes)), change)
        row = ops.concatenate([spikes, by_gradient, *(ops.cast(m, real) for m in modulators), *draws], axis=-1)
        start = [ops.copy(x) for x in self.lasting] or self.learning.cell.get_initial_state(batch)
        place = count + list(self.module.STATE).index(self.module.WEIGHT)
        start[place] = ops.zeros_like(start[place]) + weights * scale
        out, *states = self.learning(row, initial_state=start)
        self._keep(self.lasting, states)
        learned = ops.mean(states[place], axis=0) / scale
        if self.trainable_by_gradient:
            self.learned.assign(learned - ops.stop_gradient(kernel))
        else:
            self.kernel.assign(learned)
        return self._shown(out)

    def _keep(self, lasting: list[Any], states: list[Any]) -> None:
        for variable, value in zip(lasting, states, strict=False):
            variable.assign(ops.stop_gradient(value))

    def _shown(self, out: Any) -> Any:
        return ops.cast(out[..., -self.units :], self.compute_dtype)

    def reset_state(self) -> None:
        """Neurons, traces and eligibilities back to stamp 0, of a layer that is stateful; the weights stay."""
        if self.lasting:
            for variable, value in zip(self.lasting, self.learning.cell.get_initial_state(self.lasting[0].shape[0]), strict=True):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes, without the parameters of the rule."""
        return {
            **super().get_config(),
            "units": self.units,
            "neuron": self.neuron if isinstance(self.neuron, str) else str(self.neuron),
            "neuron_options": self.neuron_options,
            "port": self.port,
            "output": self.output_name,
            "dt": self.dt,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "trainable_by_gradient": self.trainable_by_gradient,
            "stateful": self.stateful,
            "return_sequences": self.return_sequences,
        }
