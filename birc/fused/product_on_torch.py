"""The product with spikes as a function of torch with a derivative of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from birc.fused import product
from birc.fused.product import Size, size_of
from birc.fused.rooms import aligned


class Product(torch.autograd.Function):  # type: ignore[misc]
    """Of x [rows, features], a kernel, a bias or None, and room for the bits of x, which are all that is kept of an x of 0 and 1.

    Gives y, and whether x is one.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, kernel: Any, bias: Any, bits: Any) -> Any:
        size = size_of(x, kernel)
        whole = product.mark(size, x.data_ptr(), bits.data_ptr())
        y = torch.from_numpy(aligned(size.rows, size.units))
        b = 0 if bias is None else bias.data_ptr()
        product.ahead(size, bits.data_ptr(), 0 if whole else x.data_ptr(), kernel.data_ptr(), b, y.data_ptr())
        ctx.save_for_backward(bits, None if whole else x, kernel)
        ctx.size = size
        return y, whole

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, up: Any, _: None) -> Any:
        bits, x, kernel = ctx.saved_tensors
        of_x, of_kernel, of_bias, _ = ctx.needs_input_grad
        up = up.contiguous()
        bar = None
        if of_kernel:
            bar = torch.from_numpy(aligned(*kernel.shape))
            product.back(ctx.size, bits.data_ptr(), 0 if x is None else x.data_ptr(), up.data_ptr(), bar.data_ptr())
        return up @ kernel.T if of_x else None, bar, up.sum(0) if of_bias else None, None


@dataclass(frozen=True)
class Again:
    """How a product is computed again: from the bits of x, the kernel and, where there is one, the bias."""

    size: Size
    shape: tuple[int, ...]
    kept: tuple[Any, ...]

    def made(self, bits: Any, kernel: Any, bias: Any = None) -> Any:
        """The same to the bit, from what was kept."""
        y = torch.from_numpy(aligned(*self.shape))
        product.ahead(self.size, bits.data_ptr(), 0, kernel.data_ptr(), 0 if bias is None else bias.data_ptr(), y.data_ptr())
        return y


def multiply(x: Any, kernel: Any, bias: Any = None) -> Any:
    """See `birc.fused.product_on`. What comes out tells, as `birc_again`, how it is computed again, if that costs little."""
    if x.device.type == "cpu":  # not where Keras only asks for shapes
        rows, kernel = x.reshape(-1, x.shape[-1]).contiguous(), kernel.contiguous()
        bias = None if bias is None else bias.contiguous()
        size = size_of(rows, kernel)
        found, others = product.found(size, rows.data_ptr())
        if not others or found <= product.MOST * size.features:
            shape = (*x.shape[:-1], size.units)
            bits = torch.empty(size.bits, dtype=torch.int32)
            flat, whole = Product.apply(rows, kernel, bias, bits)
            y = flat.reshape(shape)
            if whole and found <= product.AGAIN:
                y.birc_again = Again(size, shape, tuple(t.detach() for t in (bits, kernel, bias) if t is not None))
            return y
    y = x @ kernel
    return y if bias is None else y + bias
