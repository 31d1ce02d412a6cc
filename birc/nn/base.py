"""The layer of a compiled model: arguments, realism levels, checks of what comes in; the emitted layer inside does the computing."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from birc.backends.keras.run import load_module
from birc.driver import Compiled
from birc.errors import BircError
from birc.nn.arguments import About
from birc.nn.inputs import check_input
from birc.nn.program import program, text_of
from birc.nn.surrogates import SurrogateLayer
from birc.nn.told import LEVELS, Speaker, Words, tell

FORMAT = 1
"""Of the configurations that are written; older ones are read, newer ones refused."""

KERAS = ("name", "dtype", "trainable", "activity_regularizer", "autocast", "input_shape", "batch_shape", "batch_size")
OPTIONS = (
    "units", "ports", "output", "learn_surrogate", "detach_reset", "per_feature", "initializers", "regularizers", "use_bias",
    "kernel_initializer", "kernel_regularizer", "recurrent", "recurrent_initializer", "recurrent_regularizer", "return_sequences",
    "return_state", "stateful", "unroll", "fused", "seed", "gain", "substeps", "noise",
)  # fmt: skip
"""What goes to the emitted layer under its own name."""
OWN = ("dt", "solver", "neuron_type", "preset", "surrogate_gradient")

OBJECTS = {"kernel_initializer": keras.initializers, "recurrent_initializer": keras.initializers} | {
    "kernel_regularizer": keras.regularizers,
    "recurrent_regularizer": keras.regularizers,
}
MAPS_OF_OBJECTS = {"initializers": keras.initializers, "regularizers": keras.regularizers}


class Memory:
    """Things that Keras is not to look into."""

    def __init__(self, **things: Any) -> None:
        self.__dict__.update(things)


@keras.saving.register_keras_serializable("birc")
class BaseBiologicalLayer(keras.layers.Layer):  # type: ignore[misc]
    """A layer of neurons, compiled from their model.

    Input [batch, time, features], or [batch, time, ...], floating-point: row k acts in the step from stamp k to k+1. With `units` the layer
    owns a kernel from all features to its neurons; without, each feature drives one neuron. Output [batch, time, units], or of the input's
    shape: row k is stamp k+1.

    learnable_parameters: True for those that the layer lists (of a model by name: all that have a derivative), False, names, or None for
    those that the model declares. parameter_constraints: (low, high) by name, inside the model's own range, None for no end; the weight is
    kept in it. Names are the layer's arguments, in their units, or the model's parameters, in theirs.

    biological_realism_level, of what is not said otherwise: `low`: no refractory time, no noise, and in place of Runge-Kutta and splitting
    methods Euler's (exponential where gates are); linear equations are solved exactly as ever. `medium`: the model as written. `high`: the
    model as written in four times as many substeps: spikes, resets, refractory times and noise are on the finer grid. Spikes located inside
    steps, which the compiler has elsewhere, a layer cannot have: their moment has no surrogate.

    Further arguments, all by keyword: `model` (a name of the library, a file, or a model's text), `dt` (seconds, or text), `neuron_type` or
    `preset`, `units`, `surrogate_gradient` (a name, {"name": …, argument: …}, or an object of `birc.nn`), `gain` (what an input of 1 is in
    the port's unit; with 1 and fresh weights a LIF neuron is silent, 20 to 40 lets it fire), `substeps`, `solver`, the options of Keras's
    recurrent layers, and every parameter of the model: a number in the model's unit, text such as "20 ms", or a list with one value per
    neuron.

    Raises BircError: I301 for an argument that does not fit, I302 for an input that does not, I303 for a configuration of a newer version.
    """

    about: ClassVar[About | None] = None

    memory: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> BaseBiologicalLayer:
        made = super().__new__(cls, *args, **kwargs)
        given = inspect.signature(cls.__init__).bind_partial(made, *args, **kwargs).arguments
        object.__setattr__(made, "_said", frozenset({*given, *kwargs}))
        return made  # type: ignore[no-any-return]

    def __init__(
        self,
        learnable_parameters: Any = False,
        parameter_constraints: Mapping[str, tuple[Any, Any]] | None = None,
        biological_realism_level: str = "medium",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{name: kwargs.pop(name) for name in KERAS if name in kwargs})
        self.supports_masking = True
        self.learnable_parameters = learnable_parameters
        self.biological_realism_level = self.speaker.one_of("biological_realism_level", biological_realism_level, LEVELS)
        self.memory = Memory(constraints=parameter_constraints, config={}, compiled=None, features=None, shape=None, graph=None)
        self.inner: Any = None
        about = self.about
        if about is None and kwargs.get("model") is not None:
            about = About(text_of(kwargs.pop("model")))
            self.memory.config["model"] = about.model
        if about is None:
            if kwargs:
                raise self.speaker.refuse(f"without a model it takes no {', '.join(kwargs)}", 'name one: model="lif"')
        else:
            self.inner = self._made(about, {name: value for name, value in kwargs.items() if value is not None})

    @property
    def speaker(self) -> Speaker:
        """The layer as messages name it."""
        return Speaker(f"{type(self).__name__} `{self.name}`")

    @property
    def compiled(self) -> Compiled:
        """The compiled model."""
        if self.memory.compiled is None:
            raise self.speaker.refuse("it has no model", 'use LIFNeuron, or name a model: model="lif"')
        return self.memory.compiled  # type: ignore[no-any-return]

    @property
    def cell(self) -> Any:
        """The cell, once the layer is built, for `keras.layers.RNN`; its input is in the ports' units, without `gain`.

        Raises AttributeError before.
        """
        if not self.built:
            raise AttributeError(f"{self.speaker.name} is not built: call it, or the model that it is in, on an input first")
        return self.inner.cell

    @property
    def _neurons(self) -> Any:
        """The emitted layer; without a model there is none, which is refused."""
        self.compiled  # noqa: B018
        return self.inner

    # --- from arguments to the emitted layer

    def _model(self, about: About, preset: str | None) -> str:
        """The model's file, which may depend on the preset."""
        return about.model

    def _made(self, about: About, given: dict[str, Any]) -> Any:
        speaker = self.speaker
        preset = given.pop("preset", None)
        if preset is not None and "neuron_type" in self._said and given.get("neuron_type") is not None:
            raise speaker.refuse(f"the type is given twice: neuron_type={given['neuron_type']!r} and preset={preset!r}")
        preset = preset if preset is not None else given.get("neuron_type")
        given.pop("neuron_type", None)
        dt, solver, surrogate = given.pop("dt", 1e-3), given.pop("solver", None), given.pop("surrogate_gradient", None)
        options = {name: given.pop(name) for name in OPTIONS if name in given}
        level, simple = self.biological_realism_level, self.biological_realism_level == "low"
        options.setdefault("substeps", about.substeps * (4 if level == "high" else 1))
        options.setdefault("gain", about.gain)
        options.setdefault("noise", level != "low")
        h = self._dt(dt)
        chosen = () if solver is None else (solver,) if isinstance(solver, str) else tuple(solver)
        substep = h / options["substeps"] if isinstance(options["substeps"], int) and options["substeps"] > 0 else h
        compiled = program(self._model(about, preset), f"{substep!r} ms", chosen, simple)
        self.memory.compiled, self.memory.about = compiled, about
        self.memory.mistake = load_module(compiled.artifact).LayerError
        words = Words(speaker, about, compiled.step, h)
        arguments = {a.name: given.pop(a.name) for a in about.arguments if a.name in given}
        for name in given:
            speaker.one_of("argument", name, (*words.parameters, *[a.name for a in about.arguments], *OPTIONS, *OWN, *KERAS))
        told = tell(words, arguments, self._said, given, preset, level)
        python = compiled.artifact.manifest["arguments"]
        if self.learnable_parameters is not None:
            options["learn"] = [python[name] for name in words.learned(self.learnable_parameters)]
        options["ranges"] = {python[name]: ends for name, ends in words.ranges(self.memory.constraints).items() if name in python}
        if isinstance(surrogate, Mapping) and "class_name" in surrogate:
            surrogate = keras.saving.deserialize_keras_object(surrogate)
        options["surrogate"] = self._surrogate(surrogate, about)
        if isinstance(surrogate, SurrogateLayer) and surrogate.learnable:
            options["learn_surrogate"] = True
        for name, home in OBJECTS.items():
            if name in options:
                options[name] = home.get(options[name])
        self.memory.config |= {"dt": dt, "preset": preset, "solver": solver, "surrogate_gradient": surrogate}
        self.memory.config |= {**given, **told.arguments}
        self.memory.options = options
        try:
            inner = compiled.layer(dt=h, preset=preset, dtype=self.dtype_policy, name="neurons", **options, **told.parameters)
        except BircError as mistake:
            raise self._in_own_words(mistake, {a.parameter: (a.name, told.arguments.get(a.name)) for a in about.arguments}) from None
        self._warn(inner)
        return inner

    def _dt(self, dt: Any) -> float:
        """A step in ms, of seconds or text."""
        from birc.runtime.durations import step_length

        if isinstance(dt, str):
            try:
                return step_length(dt)
            except BircError as mistake:
                raise self.speaker.refuse(mistake.diagnostics[0].message) from None
        if isinstance(dt, bool) or not isinstance(dt, (int, float)) or not 0 < dt < float("inf"):
            raise self.speaker.refuse(f"dt = {dt!r}: a step is a number of seconds above 0, or text such as '1 ms'")
        return float(f"{dt * 1000:.12g}")

    def _surrogate(self, surrogate: Any, about: About) -> Any:
        """What stands for the spike's derivative, as the emitted layer takes it; the margin is scaled as fits the model."""
        named: Any = {"name": surrogate} if isinstance(surrogate, str) else surrogate
        if isinstance(named, SurrogateLayer):
            named.install(load_module(self.compiled.artifact))
            named = named.spec
        if named is None:
            named = self.compiled.artifact.manifest["surrogate"]
            named = {"name": named} if isinstance(named, str) else named
        if not isinstance(named, Mapping):
            raise self.speaker.refuse(f"surrogate_gradient = {surrogate!r}: a name, {{'name': …}}, or a surrogate of birc.nn")
        return {"scale": about.margin, **named} if about.margin != 1 else dict(named)

    def _in_own_words(self, mistake: BircError, arguments: Mapping[str, tuple[str, Any]]) -> BircError:
        """The compiler's refusal, by the layer; behind the model's name of a parameter stands the argument that set it."""
        first = mistake.diagnostics[0]
        message = first.message.removeprefix(f"layer of `{self.compiled.model}`: ").replace("surrogate: ", "surrogate_gradient: ")
        name = message.partition(" = ")[0]
        word, value = arguments.get(name, ("", None))
        said = f" ({word} = {value!r})" if value is not None and word != name else ""
        return self.speaker.refuse(message + said, first.help, first.code)

    def _warn(self, inner: Any) -> None:
        """What is doubtful, but no mistake."""
        for warning in self.compiled.warnings:
            warnings.warn(f"{self.speaker.name}: {warning}", stacklevel=5)
        settings = inner.settings
        for name, row in settings.rows.items():
            value = float(np.min(settings.values[name]))
            if name.rpartition(".")[2].startswith("tau") and row.unit in ("ms", "s", "us", "ns") and value < settings.h:
                warnings.warn(
                    f"{self.speaker.name}: {name} = {value:g} ms is shorter than a step of {settings.h:g} ms, which hides what it does",
                    stacklevel=5,
                )

    # --- Keras

    def __call__(self, sequences: Any, *args: Any, **kwargs: Any) -> Any:
        self.compiled  # noqa: B018  # raises where there is no model
        several = isinstance(sequences, (list, tuple)) and len(self.inner.settings.ports) > 1
        given = list(sequences.values()) if isinstance(sequences, Mapping) else list(sequences) if several else [sequences]
        for x in given:
            check_input(self.speaker, x, self.memory.features if len(given) == 1 else None)
        try:
            self.inner.check(keras.tree.map_structure(_flat_shape, sequences), *args, **kwargs)
            return super().__call__(sequences, *args, **kwargs)
        except self.memory.mistake as mistake:
            raise self.speaker.refuse(str(mistake), None, "I302") from None

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shapes = _shapes(sequences_shape)
        flat = {name: (*shape[:2], prod(shape[2:])) for name, shape in shapes.items()}
        first = next(iter(shapes))
        self.memory.shape, self.memory.features = shapes[first], flat[first][-1]
        self.inner.build(flat if isinstance(sequences_shape, Mapping) else list(flat.values()) if len(flat) > 1 else flat[first])
        self.built = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        flat = keras.tree.map_structure(_flattened, sequences)
        long = _op_by_op(keras.tree.flatten(flat)[0], self.inner.settings.substeps)
        compute = self._graph() if long and not self.inner._at_once else self.inner.call
        found = compute(flat, initial_state=initial_state, mask=mask)
        if len(self.memory.shape) == 3 or self.inner.units is not None:
            return found
        count = len(self.inner.settings.output)
        parts = list(found) if isinstance(found, (list, tuple)) else [found]
        parts[:count] = [ops.reshape(x, (*ops.shape(x)[:-1], *self.memory.shape[2:])) for x in parts[:count]]
        return type(found)(parts) if isinstance(found, (list, tuple)) else parts[0]

    def _graph(self) -> Any:
        """The computation as a graph of TensorFlow, made once for each shape."""
        if self.memory.graph is None:
            self.memory.graph = importlib.import_module("tensorflow").function(self.inner.call, autograph=False)
        return self.memory.graph

    def compute_output_spec(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        first = keras.tree.flatten(sequences)[0]
        inner = self._neurons
        own = (inner.units,) if inner.units is not None else tuple(first.shape[2:])
        shape = (*first.shape[:2], *own) if inner.return_sequences else (first.shape[0], *own)
        outputs = [keras.KerasTensor(shape, dtype=self.compute_dtype) for _ in inner.settings.output]
        if inner.return_state:
            neurons = int(inner.units or prod(first.shape[2:]))
            return (*outputs, *(keras.KerasTensor((first.shape[0], neurons), dtype="float32") for _ in inner.states))
        return outputs if inner.settings.several else outputs[0]

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        spec = self.compute_output_spec(keras.KerasTensor(next(iter(_shapes(sequences_shape).values()))))
        return keras.tree.map_structure(lambda tensor: tensor.shape, spec)

    def compute_mask(self, sequences: Any, previous_mask: Any = None) -> Any:
        return self._neurons.compute_mask(sequences, previous_mask)

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states at stamp 0, as `initial_state` takes them."""
        return self.cell.get_initial_state(batch_size)  # type: ignore[no-any-return]

    def reset_state(self) -> None:
        """Back to stamp 0, of a layer that is stateful; any other begins every call there."""
        self._neurons.reset_state()

    def reset_states(self) -> None:
        """The same."""
        self.reset_state()

    # --- saving

    def get_config(self) -> dict[str, Any]:
        options = dict(self.memory.options) if self.inner is not None else {}
        own = {name: options[name] for name in OPTIONS if name in options}
        for name, home in OBJECTS.items():
            if name in own:
                own[name] = home.serialize(own[name])
        for name, home in MAPS_OF_OBJECTS.items():
            if name in own:
                own[name] = {key: home.serialize(home.get(value)) for key, value in own[name].items()}
        config = {
            **super().get_config(),
            "birc_format": FORMAT,
            "learnable_parameters": _plain(self.learnable_parameters),
            "parameter_constraints": _plain(self.memory.constraints),
            "biological_realism_level": self.biological_realism_level,
            **{name: _plain(value) for name, value in self.memory.config.items() if value is not None},
            **{name: _plain(value) for name, value in own.items()},
        }
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> BaseBiologicalLayer:
        found = config.get("birc_format", FORMAT)
        if not isinstance(found, int) or found > FORMAT:
            message = f"it was saved by a newer version of birc (format {found!r}; this one reads up to {FORMAT})"
            raise Speaker(f"{cls.__name__} `{config.get('name')}`").refuse(message, "pip install --upgrade birc", "I303")
        return cls(**{name: value for name, value in config.items() if name != "birc_format"})


def _shapes(given: Any) -> dict[Any, tuple[Any, ...]]:
    """The shapes of the ports' inputs, one or several, by name or by place."""
    if isinstance(given, Mapping):
        return {name: tuple(shape) for name, shape in given.items()}
    several = isinstance(given[0], (list, tuple))
    return dict(enumerate(tuple(shape) for shape in (given if several else [given])))


LONG = 50
"""Steps from which on TensorFlow makes a graph of them rather than run op by op."""


def _op_by_op(x: Any, substeps: int) -> bool:
    """Whether TensorFlow would step through a long input op by op, which takes a hundred times as long as the graph."""
    eager = keras.backend.backend() == "tensorflow" and hasattr(x, "numpy")
    return eager and x.shape[1] * substeps >= LONG


def _flattened(x: Any) -> Any:
    """[batch, time, ...] with all features in one axis."""
    return x if len(x.shape) == 3 else ops.reshape(x, (*ops.shape(x)[:2], prod(x.shape[2:])))


def _flat_shape(x: Any) -> tuple[Any, ...]:
    """The shape of `_flattened`."""
    shape = tuple(np.shape(x))
    return shape if len(shape) < 3 else (*shape[:2], prod(shape[2:]))


def _plain(value: Any) -> Any:
    """A value as it can stand in a configuration."""
    match value:
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case SurrogateLayer():
            return keras.saving.serialize_keras_object(value)
        case np.ndarray() | np.generic():
            return value.tolist()
        case _:
            return value


def neuron(model: str | Path, learnable_parameters: Any = None, **options: Any) -> BaseBiologicalLayer:
    """A layer of any neuron: a name of the library (`"adex"`), a file, or the text of a model.

    Options are those of `BaseBiologicalLayer`; without `learnable_parameters` those learn that the model declares with `learn`. The layer
    is saved with the model's text where that is not of the library.
    """
    return BaseBiologicalLayer(model=model, learnable_parameters=learnable_parameters, **options)
