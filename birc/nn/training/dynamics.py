"""One step of many leaky integrate-and-fire neurons, compiled from the library's `lif_unit`."""

from __future__ import annotations

from functools import cache
from typing import Any

from keras import ops

from birc.backends.keras.run import load_module
from birc.driver import compile_model
from birc.nn.mistakes import above_zero, data_mistake, option_mistake


def batched_lif_dynamics(
    membrane_potential: Any,
    input_current: Any,
    threshold: Any,
    dt: float = 1e-3,
    *,
    membrane_time_constant: float = 20e-3,
    resistance: float = 1.0,
    reset_potential: float = 0.0,
    surrogate: str = "fast_sigmoid",
) -> tuple[Any, Any]:
    """Spikes and membrane potential [batch, neurons] behind one step, of tau v' = -v + R I, exact for I held over the step.

    membrane_potential, input_current: [batch, neurons]; threshold: [neurons] or a number; times in seconds. A neuron at its
    threshold or above spikes and is reset; it is never refractory. Backwards the surrogate stands for the spike's derivative.
    """
    v, current = ops.convert_to_tensor(membrane_potential), ops.convert_to_tensor(input_current)
    who = "batched_lif_dynamics"
    if tuple(v.shape) != tuple(current.shape) or not v.shape:
        raise data_mistake(who, f"a potential of shape {list(v.shape)} and a current of shape {list(current.shape)}; expected the same")
    th = ops.convert_to_tensor(threshold, dtype=v.dtype)
    if tuple(th.shape) not in ((), (1,), tuple(v.shape)[-1:], tuple(v.shape)):
        raise data_mistake(who, f"a threshold of shape {list(th.shape)} for {v.shape[-1]} neurons; expected a number or [neurons]")
    numbers = {
        "dt": above_zero(who, "dt", dt) * 1e3,
        "tau_m": above_zero(who, "membrane_time_constant", membrane_time_constant) * 1e3,
        "R": float(resistance),
        "v_reset": float(reset_potential),
    }
    module, settings = _program(surrogate, *numbers.values())
    state = {"v": v, "refractory": ops.zeros_like(v, dtype="int32")}
    bound = {**settings.numbers(), "v_th": th}
    after, _, z, _ = module.step(bound, state, {"I": current}, {"syn": 0.0}, {}, settings.spike)
    return z, after["v"]


@cache
def _program(surrogate: str, dt: float, tau_m: float, R: float, v_reset: float) -> tuple[Any, Any]:
    """The emitted module, and what it is told."""
    module = load_module(compile_model("lif_unit", target="keras", dtype="f32").artifact)
    parameters = {"tau_m": tau_m, "R": R, "v_reset": v_reset, "t_ref": 0.0}
    try:
        return module, module.Settings(dt=dt, parameters=parameters, surrogate=surrogate)
    except module.LayerError as mistake:
        raise option_mistake("batched_lif_dynamics", str(mistake)) from None
