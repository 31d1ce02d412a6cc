"""Statistics of spikes: `SpikeTrains.of(out)` of a result, or of any arrays, and functions of it. Times are in ms, or text with a unit."""

from birc.analysis.bins import binned_counts, population_counts
from birc.analysis.coherence import chi, synchrony
from birc.analysis.correlograms import Correlogram, autocorrelogram, cross_correlogram
from birc.analysis.firing import Course, counts, population_rate, psth, rate, rates
from birc.analysis.intervals import Intervals, cv, cv2, inter_spike_intervals, irregularity, local_variation
from birc.analysis.metrics import distances, van_rossum, victor_purpura
from birc.analysis.overview import Summary, summary
from birc.analysis.trains import SpikeTrains
from birc.analysis.variability import fano_factor, pairwise_correlation

__all__ = [
    "Correlogram",
    "Course",
    "Intervals",
    "SpikeTrains",
    "Summary",
    "autocorrelogram",
    "binned_counts",
    "chi",
    "counts",
    "cross_correlogram",
    "cv",
    "cv2",
    "distances",
    "fano_factor",
    "inter_spike_intervals",
    "irregularity",
    "local_variation",
    "pairwise_correlation",
    "population_counts",
    "population_rate",
    "psth",
    "rate",
    "rates",
    "summary",
    "synchrony",
    "van_rossum",
    "victor_purpura",
]
