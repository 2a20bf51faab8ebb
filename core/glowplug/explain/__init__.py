"""``engine.explain()``: the run that would be, without data, step or handlers.

Owns: the modules from the rehearsal of the loop to the page with the timeline.
Must not know: how a run is asked for.
"""
