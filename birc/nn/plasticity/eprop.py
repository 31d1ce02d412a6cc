"""Recurrent layers that learn forwards in time, by the eligibility traces of their own model."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from birc import driver
from birc.backends.keras.partials import emit_partials
from birc.backends.keras.run import load_keras, load_module
from birc.nn.plasticity.arguments import mistake, whole_number
from birc.nn.plasticity.inputs import check_sequence
from birc.passes import dense_events

keras: Any = load_keras()
ops: Any = keras.ops


class DrivenCell(keras.layers.Layer):  # type: ignore[misc]
    """Neurons that get what arrives from outside, and their own spikes one step later; gives spikes, then all that arrived."""

    def __init__(self, module: Any, neuron: Any, recurrent: bool, initializer: Any, **options: Any) -> None:
        super().__init__(**{"dtype": module.REAL, **options})
        self.neuron, self.recurrent, self.initializer = neuron, recurrent, initializer
        self.state_size = [*neuron.state_size, neuron.units]
        self.output_size = 2 * neuron.units

    def build(self, inputs_shape: Any) -> None:
        """Make the recurrent kernel."""
        units = self.neuron.units
        self.neuron.build(inputs_shape)
        if self.recurrent:
            self.recurrent_kernel = self.add_weight(name="recurrent_kernel", shape=(units, units), initializer=self.initializer)
        self.built = True

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state at stamp 0."""
        return [*self.neuron.get_initial_state(batch_size), ops.zeros((batch_size, self.neuron.units), dtype=self.dtype)]

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, list[Any]]:
        units = self.neuron.units
        arrived, draws = inputs[:, :units], inputs[:, units:]
        if self.recurrent:
            arrived = arrived + ops.matmul(states[-1], self.recurrent_kernel)
        spikes, after = self.neuron(ops.concatenate([arrived, draws], axis=-1), states[:-1])
        return ops.concatenate([spikes, arrived], axis=-1), [*after, spikes]


class TraceCell(keras.layers.Layer):  # type: ignore[misc]
    """One step of the eligibility of each synapse, and what it adds to the derivative, for `keras.layers.RNN`.

    Its input holds what the synapses carry [sources], what arrived [units], normal numbers, the learning signal [units] and the slope of
    the surrogate [1]. Its state is that of the neurons, the derivative of each of their states by each weight, and the sum so far
    [sources, units]. It reads no weights, so that it may run where derivatives are made.
    """

    def __init__(self, module: Any, partials: Any, neuron: Any, port: str, sources: int, **options: Any) -> None:
        super().__init__(**{"dtype": module.REAL, **options})
        self.module, self.partials, self.settings, self.units, self.port, self.sources = (
            module, partials, neuron.settings, neuron.units, port, sources
        )  # fmt: skip
        self.numbers = neuron.settings.numbers()
        self.state_size = [self.units] * (len(module.SLOTS) + len(partials.STATES) + 1)
        self.output_size = 1

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """The state at stamp 0."""
        module, zeros = self.module, ops.zeros((batch_size, self.units), dtype=self.module.REAL)
        matrix = ops.zeros((batch_size, self.sources, self.units), dtype=module.REAL)
        neurons = [zeros + ops.cast(self.numbers[init], module.REAL) for _, init, _ in module.SLOTS.values()]
        return [*neurons, *(matrix for _ in self.partials.STATES), matrix]

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, list[Any]]:
        module, names, spike = self.module, self.partials.STATES, self.settings.spike
        ends = (self.sources, self.sources + self.units, self.sources + self.units * (1 + len(module.DRAWS)))
        carried, arrived, draws, rest = ops.split(inputs, ends, axis=-1)
        signal, slope = rest[:, : self.units], rest[:, self.units :]
        count = len(module.SLOTS)
        slots, traces, total = states[:count], dict(zip(names, states[count:-1], strict=True)), states[-1]
        state = {name: module._stored(x, kind) for (name, (kind, _, _)), x in zip(module.SLOTS.items(), slots, strict=True)}
        scale = module.PORTS[self.port]
        given = {port: arrived * scale if port == self.port else 0.0 for port in module.PORTS}
        margin, by_state, by_port, margin_by_state, margin_by_port = self.partials.partials(self.numbers, state, given)
        source = ops.expand_dims(carried * scale, 2)

        def by_weight(rows: Mapping[str, Any], direct: Any) -> Any:
            """A derivative by each weight, from those by the states and that by what arrives."""
            found = source * _column(direct, arrived)
            for name, row in rows.items():
                found = found + _column(row, arrived) * traces[name]
            return found

        pseudo = module.SURROGATES[spike.name](slope * (margin / spike.scale), **spike.arguments) / spike.scale
        eligibility = _column(pseudo, arrived) * by_weight(margin_by_state, margin_by_port)
        after = [by_weight({b: e for (a, b), e in by_state.items() if a == name}, by_port.get(name, 0.0)) for name in names]
        columns = dict(zip(module.DRAWS, ops.split(draws, len(module.DRAWS), axis=-1), strict=True)) if module.DRAWS else {}
        inputs_now = {name: given[name] for name in module.PORTS if name not in module.EVENT_PORTS}
        events = {name: module._events(name, None if name != self.port else given[name]) for name in module.EVENT_PORTS}
        stored, *_ = module.step(self.numbers, state, inputs_now, events, columns, module.Hard())
        news = [ops.cast(stored.get(name, state[name]), module.REAL) + ops.zeros_like(arrived) for name in module.SLOTS]
        return signal[:, :1], [*news, *after, total + ops.expand_dims(signal, 1) * eligibility]


def _column(x: Any, like: Any) -> Any:
    """A number, or one for each neuron [batch, units], beside a matrix of synapses."""
    return ops.expand_dims(x + ops.zeros_like(like), 1)


@keras.saving.register_keras_serializable("birc")
class EProp(keras.layers.Layer):  # type: ignore[misc]
    """Spiking neurons whose kernels learn by e-prop, forwards in time: Bellec et al. (2020), Nat. Commun. 11:3625.

    Input [batch, time, features], output spikes [batch, time, units]. The kernel [features, units] and, with `recurrent`, the recurrent
    kernel [units, units] (whose spikes arrive one step later) are ordinary weights, and optimizers move them. Their derivative is the sum
    over time of learning signal times eligibility: the signal is the derivative of the loss by the spikes of that step, the eligibility
    what a weight did for them through the neuron's own state. Eligibilities follow from the partial derivatives of the compiled step,
    which the compiler makes, for any neuron of the library; the reset is detached.

    For a layer that is not recurrent this is the derivative of backpropagation through time; for a recurrent one it is that without the
    way through the recurrent spikes. Memory for it does not grow with time: [batch, features, units] for each state of the neuron. No
    derivative passes to the input.

    use_bias: a number for each neuron that arrives in every step, a weight too: its eligibility is that of a synapse that always carries 1.
    neuron: a model of the library, or a file; neuron_options: what its layer takes, `surrogate` for one; port: what the kernels feed, by
    default the main one. dt: the length of a step ("1 ms", or a number of ms).

    Raises I301 for what does not fit.
    """

    def __init__(
        self,
        units: int,
        *,
        recurrent: bool = False,
        use_bias: bool = False,
        neuron: Any = "lif_unit",
        neuron_options: Mapping[str, Any] | None = None,
        port: str | None = None,
        dt: Any = "1 ms",
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_bias, self.bias_initializer = use_bias, keras.initializers.get(bias_initializer)
        self.units = whole_number("EProp", self.name, "units", units)
        self.recurrent, self.dt, self.neuron, self.port = recurrent, dt, neuron, port
        self.neuron_options = dict(neuron_options or {})
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        compiled = driver.compile_model(neuron, target="keras", dtype="f32")
        self.module = load_module(compiled.artifact)
        if not self.module.SPIKING:
            raise mistake("EProp", self.name, f"`{compiled.model}` never spikes, so that nothing would be learned")
        for option in ("learn", "learn_surrogate", "detach_reset"):
            if option in self.neuron_options:
                raise mistake(
                    "EProp", self.name, f"neuron: `{option}` has no place here: e-prop learns kernels and a bias, and detaches the reset"
                )
        self.port_used = next(iter(self.module.PORTS)) if port is None else port
        cell = getattr(self.module, f"{compiled.artifact.manifest['layer']}Cell")
        try:
            self.cell = cell(self.units, dt=dt, ports=[self.port_used], name="neuron", **self.neuron_options)
        except self.module.LayerError as error:
            raise mistake("EProp", self.name, f"neuron: {error}") from None
        self.partials = ModuleType(f"partials of {compiled.model}")
        try:
            text = emit_partials(dense_events.run(compiled.step), self.port_used, compiled.artifact.manifest["names"])
        except ValueError as error:
            raise mistake("EProp", self.name, str(error)) from None
        exec(compile(text, f"<birc partials of {compiled.model}>", "exec"), self.partials.__dict__)
        self.random = keras.random.SeedGenerator() if self.module.DRAWS else None

    def __call__(self, inputs: Any, *arguments: Any, **options: Any) -> Any:
        check_sequence(self, inputs, self.kernel.shape[0] if self.built else None)
        return super().__call__(inputs, *arguments, **options)

    def build(self, inputs_shape: Any) -> None:
        """Make the kernels."""
        batch, _, features = inputs_shape
        real, draws = self.module.REAL, self.units * len(self.module.DRAWS)
        self.kernel = self.add_weight(name="kernel", shape=(features, self.units), initializer=self.kernel_initializer)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer=self.bias_initializer) if self.use_bias else None
        self.driven = DrivenCell(self.module, self.cell, self.recurrent, self.recurrent_initializer, name="driven")
        self.loop = keras.layers.RNN(self.driven, return_sequences=True, dtype=real, name="loop")
        self.loop.build((batch, None, self.units + draws))
        sources = features + (self.units if self.recurrent else 0) + (1 if self.use_bias else 0)
        trace = TraceCell(self.module, self.partials, self.cell, self.port_used, sources, name="trace")
        self.traces = keras.layers.RNN(trace, return_state=True, dtype=real, name="traces")
        self.traces.build((batch, None, sources + 2 * self.units + draws + 1))
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The spikes."""
        real = self.module.REAL
        x = ops.stop_gradient(ops.cast(inputs, real))
        kernel = ops.cast(ops.convert_to_tensor(self.kernel), real)
        shape = (*ops.shape(x)[:2], self.units)
        draws = [keras.random.normal(shape, dtype=real, seed=self.random) for _ in self.module.DRAWS]
        driven = ops.matmul(x, ops.stop_gradient(kernel))
        if self.bias is not None:
            driven = driven + ops.stop_gradient(ops.cast(ops.convert_to_tensor(self.bias), real))
        out = self.loop(ops.concatenate([driven, *draws], axis=-1))
        spikes, arrived = ops.split(ops.stop_gradient(out), 2, axis=-1)
        kernels, carried = [kernel], [x]
        if self.recurrent:
            kernels.append(ops.convert_to_tensor(self.driven.recurrent_kernel))
            carried.append(ops.concatenate([ops.zeros_like(spikes[:, :1]), spikes[:, :-1]], axis=1))
        if self.bias is not None:
            kernels.append(ops.expand_dims(ops.cast(ops.convert_to_tensor(self.bias), real), 0))
            carried.append(ops.ones_like(spikes[..., :1]))
        slope = ops.zeros_like(spikes[..., :1]) + ops.convert_to_tensor(self.cell.surrogate_slope)
        seen = ops.concatenate([*carried, arrived, *draws], axis=-1)
        return ops.cast(self._learned(spikes, ops.concatenate(kernels, axis=0), seen, slope), self.compute_dtype)

    def _learned(self, spikes: Any, kernels: Any, seen: Any, slope: Any) -> Any:
        """The spikes, whose derivative by the kernels is that of e-prop; `seen` and `slope` are what the traces need, step by step."""
        traces = self.traces

        @ops.custom_gradient  # type: ignore[untyped-decorator]
        def attach(spikes: Any, kernels: Any, seen: Any, slope: Any) -> Any:
            def grad(*args: Any, upstream: Any = None) -> Any:
                upstream = args[0] if upstream is None else upstream
                start = traces.cell.get_initial_state(ops.shape(seen)[0])
                _, *states = traces(ops.concatenate([seen, upstream, slope], axis=-1), initial_state=start)
                zeros = [ops.zeros_like(x) for x in (spikes, seen, slope)]
                return zeros[0], ops.sum(states[-1], axis=0), zeros[1], zeros[2]

            return spikes * 1.0, grad

        return attach(spikes, kernels, seen, slope)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return {
            **super().get_config(),
            "units": self.units,
            "recurrent": self.recurrent,
            "use_bias": self.use_bias,
            "neuron": self.neuron if isinstance(self.neuron, str) else str(self.neuron),
            "neuron_options": self.neuron_options,
            "port": self.port,
            "dt": self.dt,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
