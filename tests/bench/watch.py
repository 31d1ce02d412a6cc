"""Where the time of a network's run goes, told from its reports of progress."""

from __future__ import annotations

from collections.abc import Callable


class Watch:
    """A clock that is read when a run starts and at each of its reports; the first comes when some 16 steps are done."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.began = clock()
        self.reports: list[tuple[int, float]] = []

    def report(self, done: int, of: int, spikes: int) -> None:
        """To be called by the run."""
        self.reports.append((done, self.clock()))

    @property
    def wiring(self) -> float:
        """Seconds up to the first report."""
        return self.reports[0][1] - self.began

    @property
    def pace(self) -> float:
        """Seconds of a step, behind the first report. Raises ValueError for a run with a single report."""
        (first, began), (last, ended) = self.reports[0], self.reports[-1]
        if first == last:
            raise ValueError(f"a run of {last} steps is too short to be timed")
        return (ended - began) / (last - first)
