"""The neurons with layers of their own, with the arguments that networks which learn are used to: SI units, and durations in steps."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from birc.nn.arguments import ADEX, ALIF, HODGKIN_HUXLEY, IZHIKEVICH, LATER, LIF, About
from birc.nn.base import BaseBiologicalLayer
from birc.nn.program import program


@keras.saving.register_keras_serializable("birc")
class LIFNeuron(BaseBiologicalLayer):
    """The leaky integrate-and-fire neuron in units of its threshold, `lif_unit`: tau v' = -v + R I; where v >= threshold a spike, and v is
    reset.

    membrane_time_constant: seconds. refractory_period: steps. Learned by `learnable_parameters=True`: tau_m, R, v_th, v_reset. Further
    arguments, input and output: `BaseBiologicalLayer`.

    A spike of weight 1 moves v by dt / tau, 0.05 with the defaults: with `gain=1` and fresh weights the layer is silent; 20 to 40 lets it
    fire.
    """

    about: ClassVar[About | None] = LIF

    def __init__(
        self,
        threshold: Any = 1.0,
        reset_potential: Any = 0.0,
        membrane_time_constant: Any = 20e-3,
        resistance: Any = 1.0,
        refractory_period: Any = 2,
        surrogate_gradient: Any = "fast_sigmoid",
        learnable_parameters: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learnable_parameters=learnable_parameters,
            surrogate_gradient=surrogate_gradient,
            threshold=threshold,
            reset_potential=reset_potential,
            membrane_time_constant=membrane_time_constant,
            resistance=resistance,
            refractory_period=refractory_period,
            **kwargs,
        )


@keras.saving.register_keras_serializable("birc")
class ALIFNeuron(BaseBiologicalLayer):
    """The leaky integrate-and-fire neuron with an adaptive threshold, `alif_unit` (Bellec et al. 2018): each spike raises the threshold.

    membrane_time_constant, adaptation_time_constant: seconds. adaptation_strength: the jump of the threshold per spike times the time
    constant of its decay, in seconds. Learned by `learnable_parameters=True`: tau_m, R, b_0, beta, tau_b. Further arguments, input and
    output: `BaseBiologicalLayer`. As with `LIFNeuron`, fresh weights need a `gain` of 20 to 40.
    """

    about: ClassVar[About | None] = ALIF

    def __init__(
        self,
        threshold: Any = 1.0,
        membrane_time_constant: Any = 20e-3,
        resistance: Any = 1.0,
        adaptation_time_constant: Any = 0.7,
        adaptation_strength: Any = 0.18,
        surrogate_gradient: Any = "fast_sigmoid",
        learnable_parameters: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learnable_parameters=learnable_parameters,
            surrogate_gradient=surrogate_gradient,
            threshold=threshold,
            membrane_time_constant=membrane_time_constant,
            resistance=resistance,
            adaptation_time_constant=adaptation_time_constant,
            adaptation_strength=adaptation_strength,
            **kwargs,
        )


@keras.saving.register_keras_serializable("birc")
class IzhikevichNeuron(BaseBiologicalLayer):
    """Izhikevich's simple model: v' = 0.04 v^2 + 5 v + 140 - u + I, u' = a (b v - u); where v >= 30 mV a spike, v = c, u += d.

    neuron_type: the seven of Izhikevich (2003), by their long names or as `RS`, and the twenty of Izhikevich (2004) (`resonator` is the
    former's); a, b (1/ms), c (mV) and d (mV/ms) that are given come before it. A step of 1 ms is computed in two, and an input of 1 is a
    drive of 10 mV/ms (`substeps`, `gain`). Learned by `learnable_parameters=True`: a, b, c, d. Further arguments, input and output:
    `BaseBiologicalLayer`.
    """

    about: ClassVar[About | None] = IZHIKEVICH

    def __init__(
        self,
        a: Any = 0.02,
        b: Any = 0.2,
        c: Any = -65.0,
        d: Any = 8.0,
        neuron_type: str = "regular_spiking",
        learnable_parameters: Any = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learnable_parameters=learnable_parameters, a=a, b=b, c=c, d=d, neuron_type=neuron_type, **kwargs)

    def _model(self, about: About, preset: str | None) -> str:
        known, later = (tuple(p.name for p in program(model, "1 ms").step.presets) for model in (about.model, LATER))
        if preset is not None:
            self.speaker.one_of("neuron_type", preset, dict.fromkeys((*known, *later)))
        return LATER if preset in later and preset not in known else about.model


@keras.saving.register_keras_serializable("birc")
class AdExNeuron(BaseBiologicalLayer):
    """The adaptive exponential integrate-and-fire neuron, `adex` (Brette and Gerstner 2005).

    neuron_type: a firing pattern of Naud et al. (2008), such as `adapting`, or None for the first paper's neuron; arguments that are given
    come before it. They are in SI units. A step of 1 ms is computed in two, and an input of 1 is 500 pA (`substeps`, `gain`). Further
    arguments, input and output: `BaseBiologicalLayer`.
    """

    about: ClassVar[About | None] = ADEX

    def __init__(
        self,
        membrane_capacitance: Any = 281e-12,
        leak_conductance: Any = 30e-9,
        resting_potential: Any = -70.6e-3,
        threshold: Any = -50.4e-3,
        slope_factor: Any = 2e-3,
        adaptation_time_constant: Any = 0.144,
        subthreshold_adaptation: Any = 4e-9,
        spike_adaptation: Any = 80.5e-12,
        reset_potential: Any = -70.6e-3,
        neuron_type: str | None = None,
        surrogate_gradient: Any = "fast_sigmoid",
        learnable_parameters: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learnable_parameters=learnable_parameters,
            surrogate_gradient=surrogate_gradient,
            neuron_type=neuron_type,
            membrane_capacitance=membrane_capacitance,
            leak_conductance=leak_conductance,
            resting_potential=resting_potential,
            threshold=threshold,
            slope_factor=slope_factor,
            adaptation_time_constant=adaptation_time_constant,
            subthreshold_adaptation=subthreshold_adaptation,
            spike_adaptation=spike_adaptation,
            reset_potential=reset_potential,
            **kwargs,
        )


@keras.saving.register_keras_serializable("birc")
class HodgkinHuxleyNeuron(BaseBiologicalLayer):
    """The squid giant axon, `hodgkin_huxley` (Hodgkin and Huxley 1952); a spike is an upward crossing of 0 mV, and nothing is reset.

    neuron_type: None, or `warm` (18.5 degC). Parameters go by the model's names, `na_g="120 mS/cm^2"`. A step of 1 ms is computed in four,
    and an input of 1 is 10 uA/cm^2 (`substeps`, `gain`). Learned by `learnable_parameters=True`: C and the conductances na.g, k.g, leak.g.
    Further arguments, input and output: `BaseBiologicalLayer`.
    """

    about: ClassVar[About | None] = HODGKIN_HUXLEY

    def __init__(
        self,
        neuron_type: str | None = None,
        surrogate_gradient: Any = "fast_sigmoid",
        learnable_parameters: Any = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learnable_parameters=learnable_parameters, surrogate_gradient=surrogate_gradient, neuron_type=neuron_type, **kwargs
        )
