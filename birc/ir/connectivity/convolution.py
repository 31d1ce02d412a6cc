"""`conv2d(kernel, stride)`: layers of channels of square images, as convolutions of deep learning lay them out.

A layer of c channels with side s has cell (channel, y, x) at index (channel * s + y) * s + x. `kernel` is an odd size (one channel to one),
or an array of odd sides, [rows, columns] or [channels out, channels in, rows, columns], whose numbers are factors of the weights.
Target (o, y, x) is reached, for every i, dy and dx of the kernel, from source
(i, y * stride + dy - rows // 2, x * stride + dx - columns // 2) where that is inside the image: nothing lies beyond its border.
So the side of a target image is that of a source image divided by `stride`, rounded up.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from birc.errors import BircError
from birc.ir.connectivity.cells import Pairs
from birc.ir.connectivity.edges import Array, Wiring
from birc.ir.connectivity.plain import apart, kept


def conv2d(w: Wiring) -> Pairs:
    """Every source inside the window of each target, even where the kernel is 0 there. Raises I110 where layers or kernel do not fit."""
    source, target, _ = _windows(w)
    return kept(w, source, target)


def kernel_factors(w: Wiring) -> Array | None:
    """The kernel's number for each synapse (float64 [synapses], in the order of `pairs`); None where the kernel is a size."""
    if np.ndim(w.arguments["kernel"]) == 0:
        return None
    source, target, factor = _windows(w)
    stays = apart(w, source, target)
    factors: Array = factor[stays][np.lexsort((target[stays], source[stays]))]
    return factors


def _windows(w: Wiring) -> tuple[Array, Array, Array]:
    """Source, target and kernel number of each synapse, autapses among them."""
    kernel = _kernel(w)
    outs, ins, rows, columns = kernel.shape
    stride = int(w.arguments.get("stride", 1))
    side = _side(w.sources, ins, "sources")
    smaller = _side(w.targets, outs, "targets")
    if smaller != -(-side // stride):
        message = f"`conv2d`: images of side {side} with stride {stride} lead to images of side {-(-side // stride)}, not {smaller}"
        raise BircError("I110", message, help="a target image has the side of a source image divided by `stride`, rounded up")
    out, into, y, x, dy, dx = np.indices((outs, ins, smaller, smaller, rows, columns), dtype=np.int64).reshape(6, -1)
    from_y, from_x = y * stride + dy - rows // 2, x * stride + dx - columns // 2
    inside = (from_y >= 0) & (from_y < side) & (from_x >= 0) & (from_x < side)
    source = (into * side + from_y) * side + from_x
    target = (out * smaller + y) * smaller + x
    return source[inside], target[inside], kernel[out, into, dy, dx][inside]


def _kernel(w: Wiring) -> Array:
    """The kernel as [channels out, channels in, rows, columns]."""
    kernel = np.asarray(w.arguments["kernel"], dtype=np.float64)
    if kernel.ndim == 0:
        kernel = np.ones((int(kernel), int(kernel)))
    if kernel.ndim == 2:
        kernel = kernel[None, None]
    if kernel.ndim != 4 or kernel.shape[2] % 2 == 0 or kernel.shape[3] % 2 == 0:
        raise BircError(
            "I110",
            f"`conv2d`: a kernel of shape {list(np.shape(w.arguments['kernel'])) or [*kernel.shape[2:]]} has no centre",
            help="a kernel is [rows, columns] or [channels out, channels in, rows, columns], with odd numbers of rows and columns",
        )
    return kernel


def _side(cells: int, channels: int, what: str) -> int:
    """The side of the images of a layer."""
    side = isqrt(cells // channels)
    if side == 0 or side * side * channels != cells:
        many = "1 square image" if channels == 1 else f"{channels} square images"
        raise BircError("I110", f"`conv2d`: {cells} {what} are not {many}", help="a layer has channels times side times side cells")
    return side
