"""A layer whose kernel learns by spike-timing-dependent plasticity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from birc.backends.keras.run import load_keras
from birc.nn.plasticity.arguments import Default, Twin, take
from birc.nn.plasticity.closed_loop import PlasticLayer

keras: Any = load_keras()

TWINS = (
    Twin("tau_plus", "tau_p", 1000.0),
    Twin("tau_minus", "tau_m", 1000.0),
    Twin("a_plus", "A_p"),
    Twin("a_minus", "A_m"),
    Twin("w_min", "w_min"),
    Twin("w_max", "w_max"),
    Twin("learning_rate", "eta"),
)


@keras.saving.register_keras_serializable("birc")
class STDPLayer(PlasticLayer):
    """Spiking neurons behind a kernel that learns by pair-based spike-timing-dependent plasticity: `UnitSTDP` of the library, compiled.

    Input: spikes [batch, time, features]; each number that is not 0 is one. Output: spikes [batch, time, units] (with
    `return_sequences=False` those of the last step, [batch, units]). Row k acts in the step from stamp k to k+1.

    In a call with training=True, as those of `model.fit`, a spike of a feature sends its weights and takes learning_rate * a_minus * y from
    each; a spike of a neuron adds learning_rate * a_plus * x. The traces x and y rise by 1 at a spike of the feature and of the neuron, and
    decay with tau_plus and tau_minus. Weights stay in [w_min, w_max]. Every sample of a batch begins with the weights of the call,
    and the mean of what the samples come to is kept; so a batch of one sample is the rule itself, step by step. Without training, or with
    `trainable = False`, the weights and traces stay as they are.

    No optimizer moves the kernel, and it is no obstacle to those of other layers: derivatives pass to the input through the neurons'
    surrogate and the weights, not through the rule. With `trainable_by_gradient` the kernel is an ordinary weight as well; what the rule
    adds to it is kept beside it, and `weights_now()` is both together.

    tau_plus, tau_minus: in seconds, or text such as "20 ms"; in the model's own names tau_p, tau_m (ms), A_p, A_m, eta. w_min, w_max:
    range of the weights, in the unit of the port. neuron: a model of the library, or a file; neuron_options: what its layer takes; port:
    where spikes arrive, by default the first port that sums events. output: "spikes", or a state of the neuron by name. dt: the length of
    a step ("1 ms", or a number of ms). kernel_initializer: by default uniform in [w_min, w_max]. stateful: neurons and traces last from
    call to call, and are saved with the layer; `reset_state()` puts them back.

    Raises I301 for what does not fit.
    """

    FILE: ClassVar[str] = "pair_stdp"
    MODEL: ClassVar[str] = "UnitSTDP"

    def __init__(
        self,
        units: int,
        tau_plus: float | str = Default(20e-3),
        tau_minus: float | str = Default(20e-3),
        a_plus: float = Default(0.1),
        a_minus: float = Default(0.12),
        w_min: float = Default(0.0),
        w_max: float = Default(1.0),
        learning_rate: float = Default(1e-3),
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
            w_min,
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

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The neurons' spikes; in training the kernel learns."""
        return self._run(inputs, [], training)

    def get_config(self) -> dict[str, Any]:
        """What the constructor takes."""
        return {**super().get_config(), **self.written}
