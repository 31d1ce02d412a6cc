"""What stands for the derivative of a spike: the step 1[x >= 0] is flat, so that a network learns through a function that is not.

A surrogate is an expression in `x`, how far the state is beyond the threshold, and in its arguments. Its first argument, the slope, may
be learned: the loss then sees the spike as the antiderivative of the surrogate, which has a derivative by the slope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi, sqrt

from birc.ir.expr import Expr, const, op, value

X = value("x")
FAR = 1e6
"""Where |x| ends in derivatives by the slope; there none of them differs from its limit."""


@dataclass(frozen=True)
class Surrogate:
    """A surrogate: its arguments with their defaults, the derivative of the spike by x, that by the slope, and its source.

    One that is `open` stands for any other: its derivatives read what that one has, and the adjoint puts out what it asks for, the margin.
    """

    name: str
    arguments: Mapping[str, float]
    derivative: Expr
    by_slope: Expr | None
    source: str
    open: bool = False

    @property
    def slope(self) -> str | None:
        """The argument that may be learned."""
        return next(iter(self.arguments), None) if self.by_slope is not None else None


def mul(*factors: Expr) -> Expr:
    """The product, from left to right."""
    first, *others = factors
    for factor in others:
        first = op("mul", first, factor)
    return first


def _square(e: Expr) -> Expr:
    return op("mul", e, e)


def _clipped(limit: float) -> Expr:
    return op("max", const(-limit), op("min", X, const(limit)))


def _fast_sigmoid(seed: bool = False) -> tuple[Expr, Expr]:
    # Antiderivatives: x / (1 + beta|x|), and sign(x) log(1 + beta|x|).
    beta, near = value("beta"), _clipped(FAR)
    below = op("add", const(1.0), op("mul", beta, op("abs", X)))
    finite = op("add", const(1.0), op("mul", beta, op("abs", near)))
    if seed:
        return op("div", beta, below), op("div", near, finite)
    return op("div", const(1.0), _square(below)), op("neg", op("div", op("mul", near, op("abs", near)), _square(finite)))


def _triangular() -> tuple[Expr, Expr]:
    # Antiderivative: gamma (x - x|x|/2), level beyond -1 and 1.
    gamma, near = value("gamma"), _clipped(1.0)
    height = op("max", const(0.0), op("sub", const(1.0), op("abs", X)))
    return op("mul", gamma, height), op("sub", near, mul(const(0.5), near, op("abs", near)))


def _arctan() -> tuple[Expr, Expr]:
    # Antiderivative: atan(pi/2 alpha x) / pi + 1/2.
    alpha, near = value("alpha"), _clipped(FAR)

    def bell(x: Expr) -> Expr:
        return op("add", const(1.0), _square(mul(const(pi / 2), alpha, x)))

    return op("div", op("mul", const(0.5), alpha), bell(X)), op("div", op("mul", const(0.5), near), bell(near))


def _sigmoid() -> tuple[Expr, Expr]:
    # Antiderivative: the logistic function.
    alpha, near = value("alpha"), _clipped(FAR)

    def bell(x: Expr) -> Expr:
        s = op("sigmoid", op("mul", alpha, x))
        return op("mul", s, op("sub", const(1.0), s))

    return op("mul", alpha, bell(X)), op("mul", near, bell(near))


def _normal(x: Expr, sigma: Expr) -> Expr:
    return op("div", op("exp", op("neg", mul(const(0.5), _square(op("div", x, sigma))))), op("mul", const(sqrt(2 * pi)), sigma))


def _gaussian(x: Expr = X) -> Expr:
    return _normal(x, value("sigma"))


def _multi_gaussian(x: Expr = X) -> Expr:
    sigma, height, wide = value("sigma"), value("height"), op("mul", value("width"), value("sigma"))
    sides = op("add", _normal(op("sub", x, sigma), wide), _normal(op("add", x, sigma), wide))
    return op("sub", op("mul", op("add", const(1.0), height), _gaussian(x)), op("mul", height, sides))


def _by_width(density: Expr) -> Expr:
    # Antiderivatives of densities are functions of x/sigma alone.
    return op("neg", op("mul", op("div", _clipped(FAR), value("sigma")), density))


TABLE: Mapping[str, Surrogate] = {
    s.name: s
    for s in (
        Surrogate("fast_sigmoid", {"beta": 10.0}, *_fast_sigmoid(), "Zenke and Ganguli (2018), Neural Comput. 30:1514"),
        Surrogate("fast_sigmoid_seed", {"beta": 1.0}, *_fast_sigmoid(seed=True), "The same with beta / (1 + beta|x|)"),
        Surrogate("triangular", {"gamma": 1.0}, *_triangular(), "Bellec et al. (2018), NeurIPS 31:787"),
        Surrogate("arctan", {"alpha": 2.0}, *_arctan(), "Fang et al. (2021), ICCV, p. 2641"),
        Surrogate("sigmoid", {"alpha": 4.0}, *_sigmoid(), "The logistic function's derivative"),
        Surrogate("gaussian", {"sigma": 0.5}, _gaussian(), _by_width(_gaussian(_clipped(FAR))), "The normal density"),
        Surrogate(
            "multi_gaussian",
            {"sigma": 0.5, "height": 0.15, "width": 6.0},
            _multi_gaussian(),
            _by_width(_multi_gaussian(_clipped(FAR))),
            "Yin, Corradi and Bohté (2021), Nat. Mach. Intell. 3:905: a density with a negative one, wider, on either side",
        ),
        Surrogate("straight_through", {}, const(1.0), None, "Bengio, Léonard and Courville (2013), arXiv:1308.3432"),
    )
}
"""Arguments are above 0; `height` may be 0."""


def fits_surrogate(argument: str, number: float) -> bool:
    """Whether an argument of a surrogate may have this value."""
    return 0 < number < float("inf") or (argument == "height" and number == 0)
