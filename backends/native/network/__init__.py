"""Networks on the native target: one C++ translation unit that holds the loop over steps, sources, delivery, handlers and recording.

What is decided when a network is bound, but shapes loops (which values differ between neurons, what feeds an input of a synapse), is a
digit in a macro that the runner defines in front of the text; everything else is data that it hands over.
"""
