"""A layer whose kernel learns from pairs of spikes and a neuromodulator that says later what they were worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from birc.backends.keras.run import load_keras
from birc.nn.plasticity.arguments import Default, Twin, take
from birc.nn.plasticity.closed_loop import PlasticLayer

keras: Any = load_keras()

TWINS = (
    Twin("tau_eligibility", "tau_c"),
    Twin("a_plus", "A_p"),
    Twin("a_minus", "A_m"),
    Twin("baseline", "DA_0"),
    Twin("w_max", "w_max"),
    Twin("learning_rate", "eta"),
)

NEEDED = "a call that trains needs the modulator [batch, time, 1]"


@keras.saving.register_keras_serializable("birc")
class ThreeFactorRule(PlasticLayer):
    """Spiking neurons behind a kernel that learns by eligibility times neuromodulator: `RewardSTDP` of the library, compiled.

    Inputs: spikes [batch, time, features], and the neuromodulator [batch, time, 1], as a second input or as `modulator=`; calls
    that do not train need none. Output: spikes [batch, time, units].

    Pairs of spikes change the eligibility c of their synapse, by a_plus * x at a spike of the neuron and by -a_minus * y at one of the
    feature (traces of 20 ms); c decays with tau_eligibility, and the weight moves by learning_rate * c * (modulator - baseline) per
    second, in [0, w_max]. Izhikevich (2007), Cereb. Cortex 17:2443.

    tau_eligibility: in seconds; the model's own names are tau_c (s), A_p, A_m, DA_0, eta (weight per second). All else as in `STDPLayer`;
    with `stateful` eligibilities last from call to call, so that a reward may come in a later one.

    Raises I301 for what does not fit.
    """

    FILE: ClassVar[str] = "reward_stdp"
    MODEL: ClassVar[str] = "RewardSTDP"

    def __init__(
        self,
        units: int,
        tau_eligibility: float | str = Default(1.0),
        a_plus: float = Default(1.0),
        a_minus: float = Default(1.5),
        baseline: float = Default(0.0),
        w_max: float = Default(1.0),
        learning_rate: float = Default(0.1),
        *,
        neuron: Any = "lif_unit",
        neuron_options: Mapping[str, Any] | None = None,
        port: str | None = None,
        output: str = "spikes",
        dt: Any = "1 ms",
        kernel_initializer: Any = None,
        trainable_by_gradient: bool = False,
        stateful: bool = False,
        return_sequences: bool = True,
        **kwargs: Any,
    ) -> None:
        arguments = {name: value for name, value in locals().items() if name in {t.argument for t in TWINS}}
        given = take(type(self).__name__, kwargs.get("name"), TWINS, arguments, kwargs)
        self.written = dict(given.written)
        super().__init__(
            units,
            given.parameters,
            0.0,
            w_max,
            neuron=neuron,
            neuron_options=neuron_options,
            port=port,
            output=output,
            dt=dt,
            kernel_initializer=kernel_initializer,
            trainable_by_gradient=trainable_by_gradient,
            stateful=stateful,
            return_sequences=return_sequences,
            **kwargs,
        )

    def __call__(self, inputs: Any, modulator: Any = None, *arguments: Any, **options: Any) -> Any:
        if isinstance(inputs, (list, tuple)):
            if len(inputs) != 2 or modulator is not None:
                raise self.mistake("expected spikes [batch, time, features] and one modulator [batch, time, 1]")
            inputs, modulator = inputs
        if modulator is None and options.get("training"):
            raise self.mistake(NEEDED)
        if modulator is not None and (len(modulator.shape) != 3 or modulator.shape[-1] != 1):
            raise self.mistake(f"expected a modulator [batch, time, 1], not one of shape {tuple(modulator.shape)}")
        return super().__call__(inputs, modulator, *arguments, **options)

    def build(self, inputs_shape: Any, modulator_shape: Any = None) -> None:
        """As of `STDPLayer`; the modulator has no weights."""
        super().build(inputs_shape)

    def call(self, inputs: Any, modulator: Any = None, training: bool | None = None) -> Any:
        """The neurons' spikes; in training the kernel learns."""
        if training and modulator is None:
            raise ValueError(str(self.mistake(NEEDED)))  # Keras keeps the text of these
        return self._run(inputs, [modulator], training)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return {**super().get_config(), **self.written}
