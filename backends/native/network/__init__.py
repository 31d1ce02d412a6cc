"""Networks on the native target: one C++ translation unit that holds the loop over steps, sources, delivery, handlers and recording.

What is decided when a network is bound, but shapes loops (which values differ between neurons, what feeds an input of a synapse), is a
digit in a macro that the runner defines in front of the text; everything else is data that it hands over.
"""

from birc.backends.native.network.emit import emit_network
from birc.backends.native.network.refuse import refuse_network
from birc.backends.native.network.run import load_network

__all__ = ["emit_network", "load_network", "refuse_network"]
