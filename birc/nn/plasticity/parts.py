"""Synapses and neurons of the library, compiled for Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from birc import driver
from birc.backends.keras.run import load_module
from birc.nn.plasticity.arguments import mistake


def synapse_module(file: str, model: str) -> Any:
    """The module of a synapse, compiled from a file of the library; one and the same for the same file."""
    return load_module(driver.compile_model(file, target="keras", model=model, dtype="f32").artifact)


def synapses(module: Any, layer: str, name: str | None, dt: Any, parameters: Mapping[str, Any], preset: str | None = None) -> Any:
    """The synapses of a module with these parameters. Raises I301."""
    try:
        return module.Synapses(dt, parameters, preset)
    except module.LayerError as error:
        raise mistake(layer, name, str(error)) from None


def neuron_cell(
    layer: str, name: str | None, neuron: Any, units: int, dt: Any, port: str | None, output: str, options: Mapping[str, Any]
) -> tuple[Any, Any, str]:
    """The cell of `units` neurons whose input is what synapses send, its module, and the port.

    neuron: a library name or a file. Without `port` it is the first whose events are summed. The cell gives spikes, then `output` if that
    is something else. Raises I301, and whatever compiling the file raises.
    """
    compiled = driver.compile_model(neuron, target="keras", dtype="f32")
    module = load_module(compiled.artifact)
    if not module.SPIKING:
        raise mistake(layer, name, f"`{compiled.model}` never spikes, so that nothing would be learned")
    if not module.SUMMING:
        raise mistake(layer, name, f"`{compiled.model}` has no port that takes sums of events")
    chosen = module.SUMMING[0] if port is None else port
    if chosen not in module.SUMMING:
        raise mistake(layer, name, f"port: {chosen!r} is none of {', '.join(module.SUMMING)}, whose events are summed")
    outputs = ["spikes"] if output == "spikes" else ["spikes", output]
    cell = getattr(module, f"{compiled.artifact.manifest['layer']}Cell")
    try:
        return cell(units, dt=dt, ports=[chosen], output=outputs, name="neuron", **options), module, chosen
    except module.LayerError as error:
        raise mistake(layer, name, f"neuron: {error}") from None
