"""Units as written: which exist, and what was meant by those that do not."""

from __future__ import annotations

from birc.errors import Span
from birc.frontend.names import Scope
from birc.frontend.report import Report
from birc.units import NAMES, Unit, UnknownUnit, parse_unit

MEANT = {
    "sec": "s", "second": "s", "seconds": "s", "msec": "ms", "usec": "us", "min": "s", "volt": "V", "mvolt": "mV", "amp": "A",
    "Ohm": "ohm", "MOhm": "Mohm", "GOhm": "Gohm", "kOhm": "kohm", "KOhm": "kohm", "hz": "Hz", "HZ": "Hz", "KHz": "kHz", "khz": "kHz",
    "micron": "um", "celsius": "degC", "C": "degC", "kelvin": "K", "l": "L", "siemens": "S", "mM": "mM", "Mho": "S", "mho": "S",
}  # fmt: skip
"""Units by the names that other tools, or tired fingers, give them."""


def read_unit(text: str, span: Span, report: Report, scope: Scope | None = None, number: str | None = None) -> Unit | None:
    """The unit of a token; None where it has none, which is reported.

    Behind a `number`, a part after the first that is also a name in scope was meant as that name.
    """
    parts = _parts(text)
    if number is not None and scope is not None:
        swallowed = next((i for i, (_, name, _) in enumerate(parts) if i and name in scope.symbols), None)
        if swallowed is not None:
            _report_swallowed(parts, swallowed, number, span, report)
            return None
    try:
        return parse_unit(text)
    except UnknownUnit as unknown:
        _report_unknown(unknown, span, report, scope, number)
        return None


def _parts(text: str) -> list[tuple[str, str, str]]:
    """Sign, name and exponent of each part."""
    parts: list[tuple[str, str, str]] = []
    at = 0
    for i, c in enumerate(text + "*"):
        if c in "*/":
            piece = text[at:i].lstrip("*/")
            name, _, exponent = piece.partition("^")
            parts.append((text[at] if text[at : at + 1] in ("*", "/") else "", name, exponent))
            at = i
    return parts


def _report_swallowed(parts: list[tuple[str, str, str]], first: int, number: str, span: Span, report: Report) -> None:
    def written(part: tuple[str, str, str]) -> str:
        return part[1] + (f"^{part[2]}" if part[2] else "")

    unit = "".join(sign + written((sign, name, power)) for sign, name, power in parts[:first])
    rest = "".join(f" {part[0]} {written(part)}" for part in parts[first:])
    name = parts[first][1]
    report.error("N107", f"`{name}` is read as part of the unit, and is also a name", span, f"write spaces: `{number} {unit}{rest}`")


def _report_unknown(unknown: UnknownUnit, span: Span, report: Report, scope: Scope | None, number: str | None) -> None:
    start = span.column + unknown.start
    place = Span(span.source, span.line, start, span.line, start + len(unknown.name))
    if scope is not None and number is not None and unknown.name in scope.symbols:
        report.error(
            "U101", f"`{unknown.name}` is a name, and stands where a unit is expected", place, f"write `{number} * {unknown.name}`"
        )
        return
    near = MEANT.get(unknown.name) or report.nearest(unknown.name, NAMES)
    help = (
        f"did you mean `{near}`?"
        if near
        else "a unit is made of names such as ms, mV, pA, nS, pF, Mohm, uM, um, Hz, and of `*`, `/` and `^`"
    )
    if unknown.name == "degC":
        help = "a temperature in degC must stand alone: `20 degC`"
    report.error("U101", f"there is no unit `{unknown.name}`", place, help)
