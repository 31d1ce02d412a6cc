"""`birc verify --exact`: a model's scheme against the exact solution; and what `birc explain` says of the length of the step."""

from __future__ import annotations

import argparse

from birc.cli import show
from birc.cli.arguments import assignments
from birc.errors import BircError


def verify_exact(arguments: argparse.Namespace) -> int:
    """Print the table over step lengths; the exit code is that of the verdict."""
    given = {"--library": arguments.library, "--all": arguments.all, "-n": arguments.n, "--jobs": arguments.jobs}
    unfit = [name for name, value in given.items() if value]
    if len(arguments.target or ()) > 1:
        unfit.append("more than one `--target`")
    if unfit:
        raise BircError("A007", f"`--exact` does not go with {', '.join(unfit)}", help="it takes one neuron of one model on one target")
    if arguments.file is None:
        raise BircError("A006", "there is nothing to verify: name a file")
    from birc.exact import verify

    posed = verify.pose(
        arguments.file,
        model=arguments.model,
        preset=arguments.preset,
        dt=arguments.dt,
        solver=arguments.solver,
        skip=arguments.without,
        duration=arguments.duration,
        inputs=assignments(arguments.input, "--input") if arguments.input else None,
        params=assignments(arguments.set, "--set"),
        seed=arguments.seed,
        spikes=arguments.spikes,
    )
    target = (arguments.target or [verify.quickest_target()])[0]
    with show.progress(f"{posed.step.name} against the exact solution") as progress:
        report = verify.verify_exact(posed, target, arguments.dtype, progress)
    if arguments.json:
        show.as_json({**report.record(), "target": target, "dtype": arguments.dtype})
        return 0 if report.status == "pass" else 1
    methods = ", ".join(f"{state} {method}" for state, method in report.methods.items())
    theory = "exact" if report.order == 0 else f"order {report.order}"
    spikes = show.count(len(report.spikes), "spike")
    print(f"{report.model} on {target}, {arguments.dtype}: {methods}; in theory {theory}")
    print(f"exact solution by {report.solver}: {spikes} in {report.duration:g} ms; states compared up to {report.compared_until:g} ms\n")
    show.table(*report.table())
    print(f"\n{report.status}: {report.reason}")
    return 0 if report.status == "pass" else 1


def step_warnings(arguments: argparse.Namespace) -> None:
    """Warn where the step is too long for the methods of the model that `birc explain` has explained."""
    from birc.stiffness import step_faults_of

    show.warnings(
        step_faults_of(
            arguments.what,
            model=arguments.model,
            preset=arguments.preset,
            dt=arguments.dt,
            solver=arguments.solver,
            skip=arguments.without,
        )
    )
