"""Surrogates as objects: as a Keras layer, x -> 1 where x >= 0, and as what a layer of neurons learns through.

Forwards all are the same step; backwards each puts its function of x, how far a neuron is beyond its threshold, in place of the step's
derivative. The functions are those of `birc.ir.surrogates`, and any expression of the language.
"""

from __future__ import annotations

import hashlib
import inspect
import keyword
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

import keras
from keras import ops

from birc.backends.keras.emit import written
from birc.backends.keras.names import MODULE
from birc.backends.keras.ops import HELPERS
from birc.backends.keras.run import load_module
from birc.errors import BircError, Source
from birc.ir.expr import Expr, rewrite, topo, value
from birc.ir.model import Model
from birc.ir.surrogates import TABLE, Surrogate, fits_surrogate
from birc.nn.program import program
from birc.nn.told import Speaker
from birc.sources import read


class SurrogateLayer(keras.layers.Layer):  # type: ignore[misc]
    """Base of the surrogates: x -> 1.0 where x >= 0, else 0.0, of x's shape; with the surrogate's gradient.

    learnable: the surrogate's first argument is a weight, kept above 0. The derivative by it is that of the surrogate's antiderivative,
    for which the loss takes the spike.
    """

    formula: ClassVar[str]
    """The surrogate's name in `birc.ir.surrogates`."""

    def __init__(self, arguments: Mapping[str, float], learnable: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.arguments, self.learnable = dict(arguments), bool(learnable)
        self.speaker = Speaker(f"{type(self).__name__} `{self.name}`")
        for name, number in self.arguments.items():
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not self._fits(name, float(number)):
                raise self.speaker.refuse(f"{name} = {number!r} is no number above 0")

    def _fits(self, name: str, number: float) -> bool:
        return fits_surrogate(name, number)

    @property
    def key(self) -> str:
        """The name under which an emitted module knows the surrogate."""
        return self.formula

    def install(self, module: ModuleType) -> None:
        """Make the surrogate known to an emitted module."""

    @property
    def spec(self) -> dict[str, Any]:
        """What an emitted layer takes for `surrogate`."""
        return {"name": self.key, **{name: float(number) for name, number in self.arguments.items()}}

    @property
    def module(self) -> ModuleType:
        """An emitted module that knows the surrogate."""
        module = load_module(program("lif_unit", "1 ms").artifact)
        self.install(module)
        return module

    def build(self, input_shape: Any) -> None:
        self.slope = None
        if self.learnable:
            name, number = next(iter(self.arguments.items()))
            bounds = self.module.Within(1e-3 * number, float("inf"))
            self.slope = self.add_weight(name=name, shape=(), initializer=keras.initializers.Constant(number), constraint=bounds)
        self.built = True

    def call(self, x: Any, training: bool | None = None) -> Any:
        module = self.module
        learned = {} if self.slope is None else {next(iter(self.arguments)): ops.convert_to_tensor(self.slope)}
        spike = module.Spike(self.key, 1.0, self.arguments, True).seen(self._scale(x, training), learned)
        return ops.cast(spike(x >= 0, ops.cast(x, module.REAL)), self.compute_dtype)

    def _scale(self, x: Any, training: bool | None) -> Any:
        """By what x is multiplied before the surrogate sees it."""
        return 1.0

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.arguments}


@keras.saving.register_keras_serializable("birc")
class FastSigmoidSurrogate(SurrogateLayer):
    """`zenke`: 1 / (1 + beta |x|)^2 (Zenke and Ganguli 2018), in [0, 1]; `seed`: beta / (1 + beta |x|), whose tails never end."""

    def __init__(self, beta: float = 1.0, learnable_beta: bool = False, form: str = "zenke", **options: Any) -> None:
        self.form = form
        super().__init__({"beta": beta}, learnable_beta, **options)
        self.speaker.one_of("form", form, ("zenke", "seed"))

    @property
    def key(self) -> str:
        """By the form."""
        return "fast_sigmoid" if self.form == "zenke" else "fast_sigmoid_seed"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learnable_beta": self.learnable, "form": self.form}


@keras.saving.register_keras_serializable("birc")
class TriangularSurrogate(SurrogateLayer):
    """gamma max(0, 1 - |x|) (Bellec et al. 2018)."""

    formula = "triangular"

    def __init__(self, gamma: float = 1.0, learnable_gamma: bool = False, **options: Any) -> None:
        super().__init__({"gamma": gamma}, learnable_gamma, **options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learnable_gamma": self.learnable}


@keras.saving.register_keras_serializable("birc")
class ArctanSurrogate(SurrogateLayer):
    """alpha / 2 / (1 + (pi / 2 alpha x)^2) (Fang et al. 2021)."""

    formula = "arctan"

    def __init__(self, alpha: float = 2.0, learnable_alpha: bool = False, **options: Any) -> None:
        super().__init__({"alpha": alpha}, learnable_alpha, **options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learnable_alpha": self.learnable}


@keras.saving.register_keras_serializable("birc")
class SigmoidSurrogate(SurrogateLayer):
    """alpha s (1 - s), s the logistic function of alpha x."""

    formula = "sigmoid"

    def __init__(self, alpha: float = 4.0, learnable_alpha: bool = False, **options: Any) -> None:
        super().__init__({"alpha": alpha}, learnable_alpha, **options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learnable_alpha": self.learnable}


@keras.saving.register_keras_serializable("birc")
class GaussianSurrogate(SurrogateLayer):
    """The normal density of standard deviation sigma."""

    formula = "gaussian"

    def __init__(self, sigma: float = 0.5, learnable_sigma: bool = False, **options: Any) -> None:
        super().__init__({"sigma": sigma}, learnable_sigma, **options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learnable_sigma": self.learnable}


@keras.saving.register_keras_serializable("birc")
class MultiGaussianSurrogate(SurrogateLayer):
    """(1 + height) times the density of sigma, less height times one of width * sigma on either side, sigma away (Yin et al. 2021)."""

    formula = "multi_gaussian"

    def __init__(self, sigma: float = 0.5, height: float = 0.15, width: float = 6.0, learnable_sigma: bool = False, **options: Any) -> None:
        super().__init__({"sigma": sigma, "height": height, "width": width}, learnable_sigma, **options)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "learnable_sigma": self.learnable}


@keras.saving.register_keras_serializable("birc")
class StraightThroughSurrogate(SurrogateLayer):
    """1 everywhere: as if a spike were x itself (Bengio et al. 2013)."""

    formula = "straight_through"

    def __init__(self, **options: Any) -> None:
        super().__init__({}, **options)


@keras.saving.register_keras_serializable("birc")
class AdaptiveSurrogate(SurrogateLayer):
    """Another surrogate, seen at x / s: s is the mean of |x|, so that its width follows the scale of the margins that there are.

    As a layer s is a running mean over batches, by `momentum`, which `training=True` moves. In a layer of neurons it is the mean over the
    batch and the neurons of one step, refractory ones left out. s has no derivative. surrogate: the name of the other one; arguments:
    its own.
    """

    def __init__(self, surrogate: str = "fast_sigmoid", momentum: float = 0.9, **options: Any) -> None:
        self.surrogate, self.momentum = surrogate, momentum
        known = TABLE[surrogate].arguments if surrogate in TABLE else {}
        super().__init__({name: options.pop(name, default) for name, default in known.items()}, **options)
        self.speaker.one_of("surrogate", surrogate, TABLE)
        if not (isinstance(momentum, (int, float)) and 0 <= momentum < 1):
            raise self.speaker.refuse(f"momentum = {momentum!r} is no number from 0 to below 1")

    @property
    def key(self) -> str:
        """As a layer of neurons knows it."""
        return f"adaptive_{self.surrogate}"

    def install(self, module: ModuleType) -> None:
        other = module.SURROGATES[self.surrogate]

        def adaptive(x: Any, **arguments: Any) -> Any:
            near = module.ops.isfinite(x)
            size = module.ops.where(near, module.ops.abs(x), module.ops.zeros_like(x))
            count = module.ops.maximum(module.ops.sum(module.ops.cast(near, x.dtype)), 1.0)
            return other(x / module.ops.maximum(module.ops.sum(size) / count, 1e-6), **arguments)

        adaptive.__signature__ = inspect.signature(other)  # type: ignore[attr-defined]
        module.OTHERS.setdefault(self.key, adaptive)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones", trainable=False)

    def call(self, x: Any, training: bool | None = None) -> Any:
        module = self.module
        if training:
            seen = ops.stop_gradient(ops.mean(ops.abs(ops.cast(x, module.REAL))))
            self.scale.assign(self.momentum * self.scale + (1 - self.momentum) * seen)
        spike = module.Spike(self.surrogate, 1.0, self.arguments, True).seen(1 / ops.maximum(ops.convert_to_tensor(self.scale), 1e-6), {})
        return ops.cast(spike(x >= 0, ops.cast(x, module.REAL)), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "surrogate": self.surrogate, "momentum": self.momentum}


@keras.saving.register_keras_serializable("birc")
class ExpressionSurrogate(SurrogateLayer):
    """Any expression of the language in x and in arguments that are given by name.

    `ExpressionSurrogate("beta / (1 + beta * abs(x))^2", beta=5)`. Nothing of it is learned.
    Raises BircError for an expression that cannot be read, or names something else.
    """

    def __init__(self, expression: str, **options: Any) -> None:
        own = ("name", "dtype", "trainable", "activity_regularizer", "autocast")
        self.expression = expression
        arguments = {name: options.pop(name) for name in list(options) if name not in own}
        super().__init__(arguments, **options)
        for name in arguments:
            if name == "x" or not name.isidentifier() or keyword.iskeyword(name) or name in MODULE:
                raise self.speaker.refuse(f"{name!r} is no name for an argument")
        self.read = _read(self.speaker, expression, {name: float(number) for name, number in arguments.items()})

    def _fits(self, name: str, number: float) -> bool:
        return number - number == 0  # finite

    @property
    def key(self) -> str:
        """By what it says."""
        return self.read.name

    def install(self, module: ModuleType) -> None:
        if self.key in module.OTHERS:
            return
        text = written(self.read)
        lines = "\n".join(f"    {line}" for line in text.derivative)
        exec(f"def {text.function}(x{text.signature}):\n{lines}\n", module.__dict__)
        module.OTHERS[self.key] = module.__dict__[text.function]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "expression": self.expression}


def _read(speaker: Speaker, expression: str, arguments: Mapping[str, float]) -> Surrogate:
    """The expression as a surrogate; it is read as an output of a model."""
    if not isinstance(expression, str) or "\n" in expression:
        raise speaker.refuse(f"expression = {expression!r}: one line of text")
    params = f"    param {', '.join(f'{name} = {number!r}' for name, number in arguments.items())}\n" if arguments else ""
    text = f"neuron Surrogate:\n{params}    input x: 1\n    output y: 1 = {expression}\n"
    try:
        (model,) = read(Source("expression", text)).module.items
    except BircError as mistake:
        raise speaker.refuse(f"expression = {expression!r}: {mistake.diagnostics[0].message}", mistake.diagnostics[0].help) from None
    assert isinstance(model, Model)
    derivative = rewrite(model.outputs[0].value, _as_value)
    absent = sorted({e.op for e in topo(derivative)} & (set(HELPERS) - {"sigmoid"}))
    if absent:
        raise speaker.refuse(f"expression = {expression!r}: {absent[0]} has no place in a surrogate")
    name = "expression_" + hashlib.sha256(text.encode()).hexdigest()[:12]
    return Surrogate(name, dict(arguments), derivative, None, "An expression")


def _as_value(e: Expr) -> Expr | None:
    return value(str(e.attr)) if e.op == "var" else None
