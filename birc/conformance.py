"""Neurons of the library against every target: the table that demo and README show."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from birc.backends import Dtype, load_backend
from birc.driver import DT, lower
from birc.ir.model import Model
from birc.sources import choose, library, load
from birc.verification import Case, Report, verify_all

SHORT = (
    "adex", "alif", "eif", "hodgkin_huxley", "integrate_and_fire", "izhikevich", "leaky_integrator", "lif", "lif_alpha", "lif_exp",
    "lif_unit", "qif",
)  # fmt: skip
"""The files of a table that is made in a few minutes: each kind of step program is among them."""


def neurons(files: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """(file, model) of every neuron of the library, or of some of its files."""
    items = [(file, item) for file in files or library() for item in load(file).module.items]
    return [(file, item.name) for file, item in items if isinstance(item, Model) and item.kind == "neuron"]


def library_reports(
    targets: Sequence[str], dtypes: Sequence[Dtype] = ("f64",), jobs: int | None = None, files: Sequence[str] | None = None
) -> Iterator[Report]:
    """One report per neuron, number type and target, in the order of these lists, made by `jobs` processes (default: one per core)."""
    cases = [(file, model, tuple(targets), tuple(dtypes)) for file, model in neurons(files)]
    # Processes are spawned: a fork would copy the threads of a native run that came before only by halves.
    with ProcessPoolExecutor(jobs or os.cpu_count() or 1, multiprocessing.get_context("spawn")) as pool:
        for reports in pool.map(_reports, cases):
            yield from reports


def _reports(job: tuple[str, str, tuple[str, ...], tuple[Dtype, ...]]) -> list[Report]:
    """Of one neuron; of what reads a target's files, nothing."""
    file, model, targets, dtypes = job
    case = Case(lower(choose(load(file), model)[0])[1], dt=DT)
    found = (verify_all(case, load_backend(target), dtype=dtype) for dtype in dtypes for target in targets)
    return [report for reports in found for report in reports if not report.reader]


def cell(report: Report) -> str:
    """What one target makes of one model: the level with the worst error, or what else there is to say."""
    if report.status != "pass":
        return report.status
    return report.level if not report.worst else f"{report.level} ({report.worst:.0e})"


def matrix(reports: Sequence[Report]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the table: a row per model, a column per target."""
    targets = list(dict.fromkeys(r.target for r in reports))
    models = list(dict.fromkeys(r.model for r in reports))
    found = {(r.model, r.target): cell(r) for r in reports}
    return ["model", *targets], [[model, *(found.get((model, target), "") for target in targets)] for model in models]


def notes(reports: Sequence[Report]) -> list[str]:
    """What a target lacks here, once; what was emulated, once; why a target refuses a model, with the line."""
    return [*surroundings(reports), *refusals(reports)]


def surroundings(reports: Sequence[Report]) -> list[str]:
    """What a target lacks here, and what was emulated, a line for each target."""
    lines = (
        f"{r.target}: {r.reason if r.status == 'unavailable' else r.emulated}" for r in reports if r.emulated or r.status == "unavailable"
    )
    return list(dict.fromkeys(lines))


def refusals(reports: Sequence[Report]) -> list[str]:
    """Why a target does not take a model, with the line; whatever its number type, once."""
    wanting = (report for report in reports if report.status not in ("pass", "unavailable"))
    places = ((report, f" ({report.span.where})" if report.span else "") for report in wanting)
    return list(dict.fromkeys(f"{report.target}, {report.model}: {report.reason}{place}" for report, place in places))


def reservations(reports: Sequence[Report]) -> list[str]:
    """How a pass was compared otherwise than others, a line for each model and remark, with its targets."""
    found: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        if report.status == "pass" and report.reason:
            found.setdefault((report.model, report.reason), []).append(report.target)
    return [f"{model} on {', '.join(targets)}: {reason}" for (model, reason), targets in found.items()]
