"""A sweep as a function of torch with a derivative of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch

from birc.fused.rooms import aligned
from birc.fused.sweep import Shape, Sweeper, common


def make(sweeper: Sweeper, given: tuple[int, ...], seen: tuple[int, ...]) -> Any:
    """See `birc.fused.sweep_on`."""
    kernel = sweeper.kernel

    class Sweep(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, mask: Any, *tensors: Any) -> Any:
            held = [t.detach().to(torch.float32).contiguous() for t in tensors]
            states_end = len(given) + len(kernel.slots)
            ctx.mask = None if mask is None else mask.to(torch.float32).contiguous()
            shape = common(kernel, held[: len(given)], held[len(given) : states_end], held[states_end:], ctx.mask)
            rows, ends = [shape.outer, shape.steps, shape.inner], [shape.outer, shape.inner]
            if any(t.device.type == "meta" for t in held):  # Keras asks for shapes, of some tensors that hold numbers and some that do not
                return tuple(torch.empty(size, device="meta") for size in (*(rows for _ in seen), *(ends for _ in kernel.slots)))
            out = [torch.from_numpy(aligned(*rows)) for _ in seen]
            last = [torch.empty(ends) for _ in kernel.slots]
            inputs, initial, bind = _split(kernel, given, held)
            looked = {i: t.data_ptr() for i, t in zip(seen, out, strict=True)}
            sweeper.ahead(
                shape,
                inputs,
                initial,
                bind,
                _each(kernel, held),
                0 if ctx.mask is None else ctx.mask.data_ptr(),
                [looked.get(i, 0) for i in range(len(kernel.seen))],
                [t.data_ptr() for t in last],
            )
            ctx.again = [getattr(t, "birc_again", None) for t in tensors]
            ctx.save_for_backward(*(k for t, a in zip(held, ctx.again, strict=True) for k in ((t,) if a is None else a.kept)))
            ctx.shapes = [t.shape for t in tensors]
            return (*out, *last)

        @staticmethod
        def backward(ctx: Any, *ups: Any) -> Any:
            kept = iter(ctx.saved_tensors)
            held = [next(kept) if a is None else a.made(*islice(kept, len(a.kept))) for a in ctx.again]
            shape = Shape(*held[0].shape)
            inputs, initial, bind = _split(kernel, given, held)
            came = [None if u is None else u.to(torch.float32).contiguous() for u in ups]
            looked = {i: 0 if u is None else u.data_ptr() for i, u in zip(seen, came[: len(seen)], strict=True)}
            input_bars = {i: torch.from_numpy(aligned(*t.shape)) for i, t in zip(given, held[: len(given)], strict=True)}
            initial_bars = [torch.zeros_like(t) for t in held[len(given) : len(given) + len(kernel.slots)]]
            bind_bars = {name: torch.from_numpy(aligned(shape.outer, shape.inner)) for name in kernel.wanted}
            sweeper.back(
                shape,
                inputs,
                initial,
                bind,
                _each(kernel, held),
                0 if ctx.mask is None else ctx.mask.data_ptr(),
                [looked.get(i, 0) for i in range(len(kernel.seen))],
                [0 if u is None else u.data_ptr() for u in came[len(seen) :]],
                [input_bars[i].data_ptr() if i in input_bars else 0 for i in range(len(kernel.inputs))],
                [t.data_ptr() for t in initial_bars],
                [t.data_ptr() for t in bind_bars.values()],
            )
            of_bind = []
            for name, size in zip(kernel.bind, ctx.shapes[len(given) + len(kernel.slots) :], strict=True):
                bar = bind_bars.get(name)
                of_bind.append(None if bar is None else (bar.sum(0) if len(size) and size[0] > 1 else bar.sum()).reshape(size))
            return (None, *input_bars.values(), *initial_bars, *of_bind)

    def sweep(inputs: Sequence[Any], initial: Sequence[Any], bind: Sequence[Any], mask: Any = None) -> tuple[list[Any], list[Any]]:
        found = Sweep.apply(mask, *inputs, *initial, *bind)
        return list(found[: len(seen)]), list(found[len(seen) :])

    return sweep


def _split(kernel: Any, given: tuple[int, ...], held: Sequence[Any]) -> tuple[list[int], list[int], list[int]]:
    """Addresses of inputs, initial states and bind values."""
    at = {i: t.data_ptr() for i, t in zip(given, held[: len(given)], strict=True)}
    rest = [t.data_ptr() for t in held[len(given) :]]
    return [at.get(i, 0) for i in range(len(kernel.inputs))], rest[: len(kernel.slots)], rest[len(kernel.slots) :]


def _each(kernel: Any, held: Sequence[Any]) -> list[int]:
    return [int(t.numel() > 1) for t in held[len(held) - len(kernel.bind) :]]
