"""Losses whose descent is a rule of plasticity."""

from __future__ import annotations

from math import exp
from typing import Any

import keras
from keras import ops

from birc.nn.losses.sequence import SequenceLoss, low_pass, shown, steps_of
from birc.nn.mistakes import above_zero, count, data_mistake
from birc.nn.regularizers import weight_dependence


@keras.saving.register_keras_serializable("birc")
class HomeostaticRateLoss(SequenceLoss):
    """1/2 mean over neurons of (r / r* - 1)², r being the rate of [batch, time, neurons] in Hz.

    Its descent moves what drives a neuron by r* - r, as synaptic scaling does (Turrigiano et al. 1998; van Rossum, Bi and Turrigiano
    2000). The targets are wanted rates [batch, neurons] in Hz, above 0; with `target_rate` they are not looked at. dt: in seconds.
    """

    def __init__(self, target_rate: float | None = 10.0, dt: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_rate = None if target_rate is None else above_zero(self.who, "target_rate", target_rate)
        self.dt = above_zero(self.who, "dt", dt)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        rates = ops.mean(self.sequence(y_pred), axis=1) / self.dt
        if self.target_rate is None:
            if len(y_true.shape) != 2:
                raise data_mistake(self.who, f"the targets have shape {shown(y_true)}; expected rates [batch, neurons] in Hz")
            self.same_neurons(y_true, y_pred)
        wanted = y_true if self.target_rate is None else self.target_rate
        return ops.mean(ops.square(rates / wanted - 1), axis=-1) / 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_rate": self.target_rate, "dt": self.dt}


@keras.saving.register_keras_serializable("birc")
class WeightDependenceLoss(keras.losses.Loss):  # type: ignore[misc]
    """mean U(w / w_max) of weights [batch, ...], such as a plastic layer gives them; the targets are not looked at.

    U(w) = ((1 - w)^(mu+1) + alpha w^(mu+1)) / (mu+1), whose descent is the drift of weight-dependent STDP: `weight_dependence`
    in `birc.nn.regularizers` has the source. `WeightDependenceRegularizer` is the same of a layer's own weights.
    """

    def __init__(self, mu: float = 1.0, alpha: float = 1.0, w_max: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mu = above_zero("WeightDependenceLoss", "mu", mu)
        self.alpha = above_zero("WeightDependenceLoss", "alpha", alpha)
        self.w_max = above_zero("WeightDependenceLoss", "w_max", w_max)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(weight_dependence(y_pred / self.w_max, self.mu, self.alpha), axis=tuple(range(1, len(y_pred.shape))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mu": self.mu, "alpha": self.alpha, "w_max": self.w_max}


@keras.saving.register_keras_serializable("birc")
class BCMLoss(SequenceLoss):
    """mean over neurons of E[y²]²/4 - E[y³]/3, the risk of Intrator and Cooper (1992).

    Its descent with a neuron's activity y is y (y - theta), theta = E[y²]: the rule of Bienenstock, Cooper and Munro (1982). E is over the
    batch; y is the rate of [batch, time, neurons] in spikes per step, or is given as [batch, neurons]. The targets are not looked at.
    Each sample gives y² E[y²]/4 - y³/3.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) not in (2, 3):
            raise data_mistake(self.who, f"the prediction has shape {shown(y_pred)}; expected [batch, time, neurons] or [batch, neurons]")
        y = y_pred if len(y_pred.shape) == 2 else ops.mean(y_pred, axis=1)
        threshold = ops.mean(ops.square(y), axis=0, keepdims=True)
        return ops.mean(ops.square(y) * threshold / 4 - y * y * y / 3, axis=-1)


@keras.saving.register_keras_serializable("birc")
class EligibilityMatchingLoss(SequenceLoss):
    """mean over pairs of (E_ij - E*_ij)², E_ij = 1/T sum over steps of x_i z_j: how eligible the synapse from i to j has become.

    x_i is the trace of presynaptic neuron i, x' = -x / tau, raised by 1 at each of its spikes; z_j are postsynaptic spikes. Such
    coincidences are the eligibility of three-factor rules (Izhikevich 2007; Gerstner et al. 2018).
    The prediction is [batch, time, presynaptic + postsynaptic], the first `presynaptic` neurons being the sources; the targets are E*
    [batch, presynaptic, postsynaptic], or trains like the prediction. time_constant (tau) and dt: in seconds.
    """

    def __init__(self, presynaptic: int, time_constant: float = 20e-3, dt: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.presynaptic = count(self.who, "presynaptic", presynaptic)
        self.time_constant = above_zero(self.who, "time_constant", time_constant)
        self.dt = above_zero(self.who, "dt", dt)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        targets = self.sequence(y_pred).shape[2] - self.presynaptic
        if targets < 1:
            raise data_mistake(
                self.who, f"the prediction has {y_pred.shape[2]} neurons, of which presynaptic = {self.presynaptic}; none is left"
            )
        pairs = tuple(y_true.shape)[1:] == (self.presynaptic, targets)
        if (not pairs and tuple(y_true.shape)[-1:] != tuple(y_pred.shape)[-1:]) or len(y_true.shape) != 3:
            message = f"the targets have shape {shown(y_true)}; expected [batch, {self.presynaptic}, {targets}], or trains {shown(y_pred)}"
            raise data_mistake(self.who, message)
        wanted = y_true if pairs else self.eligibility(y_true)
        return ops.mean(ops.square(self.eligibility(y_pred) - wanted), axis=(1, 2))

    def eligibility(self, trains: Any) -> Any:
        """E [batch, presynaptic, postsynaptic] of trains [batch, time, presynaptic + postsynaptic]."""
        traces = low_pass(trains[:, :, : self.presynaptic], exp(-self.dt / self.time_constant))
        return ops.einsum("bti,btj->bij", traces, trains[:, :, self.presynaptic :]) / steps_of(trains)

    def get_config(self) -> dict[str, Any]:
        own = {"presynaptic": self.presynaptic, "time_constant": self.time_constant, "dt": self.dt}
        return {**super().get_config(), **own}
