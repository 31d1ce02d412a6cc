"""Programs of other people that run a target's files, each against what is expected of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from birc.backends import Array, Artifact, Expected, Reader
from birc.verification.report import Report
from birc.verification.trial import Trial, initial, job_of, raster


def verify_reader(reader: Reader, artifact: Artifact, head: Report, trial: Trial) -> Report:
    """The spikes that a reader makes of an artifact; they are those of its profile, but for what a tie decides.

    A reader that is not installed, refuses, or has nothing to decide is no pass.
    """
    head = replace(head, reader=reader.name)
    missing = reader.missing()
    if missing is not None:
        return replace(head, status="unavailable", reason=f"lacks {missing.what}: {missing.how}")
    job = job_of(trial.program, trial.stimulus, initial(trial.program, artifact.step, artifact.dtype))
    refused = reader.refuse(artifact, job)
    if refused:
        return replace(head, status="refused", reason=f"profile: {'; '.join(refused)}")
    try:
        found = raster(reader.run(artifact, job), trial.stimulus)
    except Exception as error:  # whatever goes wrong in a program that is not ours is its result
        return replace(head, status="fail", reason=f"raised {type(error).__name__}: {str(error).partition(chr(10))[0]}")
    return judge(head, reader.describe(artifact, job), found, reader.expected(artifact, job), trial)


def judge(head: Report, how: str, found: Array, expected: Expected, trial: Trial) -> Report:
    """A neuron is compared up to its first spike that differs; there it fails, unless its potential was on the threshold."""
    wanted = raster(expected.spikes, trial.stimulus)
    differs = found != wanted
    first = np.where(differs.any(axis=0), differs.argmax(axis=0), len(differs))
    wrong = [(int(k), i) for i, k in enumerate(first) if k < len(differs) and not expected.ties[k, i]]
    head = replace(head, profile=f"{how}: {int(wanted.sum())} spikes, of the model {int(trial.trace.fired.sum())}")
    if wrong:
        k, neuron = min(wrong)
        said = "spikes" if found[k, neuron] else "does not spike"
        return replace(head, status="fail", reason=f"{said} at step {k} in neuron {neuron}, against its profile")
    compared = np.arange(len(differs))[:, None] < first
    decided = {bool(x) for x in np.unique(wanted[compared])}
    if decided != {True, False}:
        return replace(head, status="not exercised", reason="no spike was compared" if True not in decided else "it spikes in every step")
    return replace(head, status="pass", level="L2")
