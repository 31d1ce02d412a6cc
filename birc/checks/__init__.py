"""The `check` blocks of a file: doc-tests of models, synapses and networks, run on the reference."""

from birc.checks.compare import CheckResult
from birc.checks.drives import MOST_STEPS, has_events, held_rows
from birc.checks.models import Ran, drive, run_check
from birc.checks.networks import run_network_check
from birc.checks.synapses import bench

__all__ = ["MOST_STEPS", "CheckResult", "Ran", "bench", "drive", "has_events", "held_rows", "run_check", "run_network_check"]
