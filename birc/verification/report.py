"""What verification says of one target and one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from birc.errors import Span

Status = Literal["pass", "fail", "not exercised", "refused", "unavailable"]


@dataclass(frozen=True)
class Report:
    """One row of the verification table.

    `level` is the conformance level reached ("" if none), `worst` the largest relative error in lock-step, `reason` why it is not a
    pass, `where` the place in the model, `unreached` what of the program the stimulus did not reach. Of a divergence, `step` is the first
    step that comes out otherwise, `variable` what does, and `detail` the explanation. `emulated` says on what the target ran here, where
    that is not what it is for. If the row is about a program that ran the target's files, `reader` is that program, and `profile` how it
    runs them.
    """

    target: str
    model: str
    status: Status
    level: str = ""
    worst: float | None = None
    where: str = ""
    reason: str = ""
    span: Span | None = None
    unreached: tuple[str, ...] = ()
    detail: str = ""
    dt: str = ""
    dtype: str = ""
    step: int | None = None
    variable: str = ""
    emulated: str = ""
    reader: str = ""
    profile: str = ""

    @property
    def who(self) -> str:
        """The target, or the target and what reads its files."""
        return f"{self.target}/{self.reader}" if self.reader else self.target

    def record(self) -> dict[str, Any]:
        """The row for `--json`."""
        place = None if self.span is None else {"file": self.span.source.name, "line": self.span.line, "column": self.span.column}
        return {
            "target": self.target,
            "model": self.model,
            "status": self.status,
            "level": self.level or None,
            "worst": self.worst,
            "where": self.where or None,
            "reason": self.reason or None,
            "span": place,
            "unreached": list(self.unreached),
            "step": self.step,
            "variable": self.variable or None,
            "emulated": self.emulated or None,
            "reader": self.reader or None,
            "profile": self.profile or None,
            "dt": self.dt,
            "dtype": self.dtype,
        }

    def row(self) -> tuple[str, ...]:
        """The row for the table."""
        worst = "" if self.worst is None else "0" if self.worst == 0 else f"{self.worst:.1e}"
        unreached = f"not reached: {', '.join(self.unreached)}" if self.unreached else ""
        note = "; ".join(part for part in (self.reason or unreached, self.emulated, self.profile) if part)
        return self.model, self.who, self.status, self.level, worst, note
