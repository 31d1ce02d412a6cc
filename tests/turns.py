"""Cosine and sine with many digits, for what turns often."""

from __future__ import annotations

from decimal import Decimal, localcontext


def cos_sin(angle: Decimal) -> tuple[Decimal, Decimal]:
    """To 40 digits, of an angle up to 10^8: by series of the angle over 2^40, doubled 40 times."""
    with localcontext() as context:
        context.prec = 80
        part = angle / 2**40
        c = term = Decimal(1)
        s = part
        for k in range(1, 20):
            term = -term * part * part / ((2 * k - 1) * (2 * k))
            c += term
            s += term * part / (2 * k + 1)
        for _ in range(40):
            c, s = c * c - s * s, 2 * s * c
        return c, s
