"""The product with spikes as a function of torch with a derivative of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from birc.backends.fused import product
from birc.backends.fused.product import size_of


class Product(torch.autograd.Function):  # type: ignore[misc]
    """Of x [rows, features], a kernel and a bias or None. Of an x of 0 and 1 only the bits are kept."""

    @staticmethod
    def forward(ctx: Any, x: Any, kernel: Any, bias: Any) -> Any:
        size = size_of(x, kernel)
        columns = torch.empty(size.columns, dtype=torch.int32)
        y = torch.empty(size.rows, size.units)
        b = 0 if bias is None else bias.data_ptr()
        bits = product.ahead(size, x.data_ptr(), columns.data_ptr(), kernel.data_ptr(), b, y.data_ptr())
        ctx.save_for_backward(columns if bits else x, kernel)
        ctx.size, ctx.bits = size, bits
        return y

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, up: Any) -> Any:
        held, kernel = ctx.saved_tensors
        of_x, of_kernel, of_bias = ctx.needs_input_grad
        up = up.contiguous()
        bar = None
        if of_kernel:
            bar = torch.empty(kernel.shape)
            x, columns = (0, held.data_ptr()) if ctx.bits else (held.data_ptr(), 0)
            product.back(ctx.size, x, columns, up.data_ptr(), bar.data_ptr())
        return up @ kernel.T if of_x else None, bar, up.sum(0) if of_bias else None


def multiply(x: Any, kernel: Any, bias: Any = None) -> Any:
    """See `birc.backends.fused.product_on`."""
    if x.device.type == "cpu":  # not where Keras only asks for shapes
        rows, kernel = x.reshape(-1, x.shape[-1]).contiguous(), kernel.contiguous()
        if product.sparse(size_of(rows, kernel), rows.data_ptr()):
            return Product.apply(rows, kernel, None if bias is None else bias.contiguous()).reshape(*x.shape[:-1], -1)
    y = x @ kernel
    return y if bias is None else y + bias
