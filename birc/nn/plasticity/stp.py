"""Short-term plasticity: spikes become amplitudes that depress and facilitate."""

from __future__ import annotations

from typing import Any

from birc.backends.keras.run import load_keras
from birc.nn.plasticity.arguments import Twin, mistake, take, whole_number
from birc.nn.plasticity.inputs import check_sequence
from birc.nn.plasticity.parts import synapse_module, synapses

keras: Any = load_keras()
ops: Any = keras.ops

TWINS = (
    Twin("utilization", "U"),
    Twin("tau_recovery", "tau_rec", 1000.0),
    Twin("tau_facilitation", "tau_fac", 1000.0),
)


class STPCell(keras.layers.Layer):  # type: ignore[misc]
    """One step of one synapse for each feature, for `keras.layers.RNN`."""

    def __init__(self, module: Any, synapses: Any, features: int, **options: Any) -> None:
        super().__init__(**{"dtype": module.REAL, **options})
        self.module, self.synapses, self.features = module, synapses, features
        self.state_size = [features] * len(module.STATE)
        self.output_size = features

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state at stamp 0."""
        return list(self.synapses.initial(batch_size, self.features, 1).values())

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, list[Any]]:
        state = self.synapses.flow(dict(zip(self.module.STATE, states, strict=True)), {})
        state, sent = self.synapses.pre(state, inputs, {})
        return sent[..., 0], [state[part] for part in self.module.STATE]


@keras.saving.register_keras_serializable("birc")
class STPLayer(keras.layers.Layer):  # type: ignore[misc]
    """Short-term plasticity of each feature: `TsodyksMarkram` of the library, compiled.

    Input: spikes [batch, time, features]; each number that is not 0 is one. Output [batch, time, features]: u * x where a spike came,
    else 0. With `units` the layer has a kernel, which learns by gradient, and gives amplitudes @ kernel [batch, time, units].

    At a spike u rises by utilization * (1 - u), then u * x is sent and taken from the resources x; between spikes x recovers with
    tau_recovery and u falls with tau_facilitation. Markram, Wang and Tsodyks (1998), PNAS 95:5323. Derivatives pass to the input through
    the amplitudes.

    utilization, tau_recovery, tau_facilitation (seconds, or text): by default 0.2, 0.8 s, 0.5 s, or what the preset says ("depressing",
    "facilitating"); the model's own names are U, tau_rec, tau_fac (ms). dt: the length of a step ("1 ms", or a number of ms). stateful: u
    and x last from call to call, and are saved with the layer; `reset_state()` puts them back.

    Raises I301 for what does not fit.
    """

    def __init__(
        self,
        units: int | None = None,
        utilization: float | None = None,
        tau_recovery: float | str | None = None,
        tau_facilitation: float | str | None = None,
        *,
        preset: str | None = None,
        dt: Any = "1 ms",
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        arguments = {"utilization": utilization, "tau_recovery": tau_recovery, "tau_facilitation": tau_facilitation}
        given = take(type(self).__name__, kwargs.get("name"), TWINS, arguments, kwargs)
        super().__init__(**kwargs)
        self.units = None if units is None else whole_number(type(self).__name__, self.name, "units", units)
        self.written, self.preset, self.dt, self.stateful = dict(given.written), preset, dt, stateful
        self.module = synapse_module("tsodyks_markram", "TsodyksMarkram")
        parameters = {**given.parameters, "w": 1.0}
        self.synapses = synapses(self.module, type(self).__name__, self.name, dt, parameters, preset)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def __call__(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        check_sequence(self, inputs, self.loop.cell.features if self.built else None)
        return super().__call__(inputs, *arguments, **options)

    def build(self, shape: Any) -> None:
        """Make the kernel, and with `stateful` the state that lasts."""
        batch, _, features = shape
        if self.units is not None:
            self.kernel = self.add_weight(
                name="kernel", shape=(features, self.units), initializer=self.kernel_initializer, regularizer=self.kernel_regularizer
            )
        cell = STPCell(self.module, self.synapses, features, name="cell")
        self.loop = keras.layers.RNN(cell, return_sequences=True, return_state=True, dtype=self.module.REAL, name="loop")
        self.loop.build((batch, None, features))
        self.lasting = []
        if self.stateful:
            if batch is None:
                help = "give it: `keras.Input(batch_shape=(1, None, 100))`"
                raise mistake(type(self).__name__, self.name, "a layer that is stateful needs the size of the batch", help)
            for part, start in zip(self.module.STATE, cell.get_initial_state(batch), strict=True):
                value = keras.initializers.Constant(ops.convert_to_numpy(start))
                made = self.add_weight(
                    name=part.strip("."), shape=start.shape, initializer=value, trainable=False, dtype=self.module.REAL, autocast=False
                )
                self.lasting.append(made)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The amplitudes, or with `units` what they make of the kernel."""
        spikes = ops.cast(inputs, self.module.REAL)
        start = [ops.copy(x) for x in self.lasting] or self.loop.cell.get_initial_state(ops.shape(spikes)[0])
        out, *states = self.loop(spikes, initial_state=start)
        for variable, value in zip(self.lasting, states, strict=False):
            variable.assign(ops.stop_gradient(value))
        amplitudes = ops.cast(out, self.compute_dtype)
        return amplitudes if self.units is None else ops.matmul(amplitudes, self.kernel)

    def reset_state(self) -> None:
        """u and x back to stamp 0, of a layer that is stateful."""
        if self.lasting:
            for variable, value in zip(self.lasting, self.loop.cell.get_initial_state(self.lasting[0].shape[0]), strict=True):
                variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return {
            **super().get_config(),
            "units": self.units,
            "preset": self.preset,
            "dt": self.dt,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "stateful": self.stateful,
            **self.written,
        }
