"""Backends against the reference: lock-step and free-running, with the first divergence explained.

NumPy is the reference of every other target; NumPy itself is compared with the interpreter of the IR.
"""

from birc.verification.case import Case
from birc.verification.networks import verify_network
from birc.verification.report import Report
from birc.verification.tabulated import verify_tables
from birc.verification.target import verify_all, verify_target

__all__ = ["Case", "Report", "verify_all", "verify_network", "verify_tables", "verify_target"]
