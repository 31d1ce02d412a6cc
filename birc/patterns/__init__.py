"""The firing patterns that a paper publishes, as its scheme makes them and as the equations have them."""

from birc.patterns.figure import draw
from birc.patterns.runs import Pattern, patterns

__all__ = ["Pattern", "draw", "patterns"]
