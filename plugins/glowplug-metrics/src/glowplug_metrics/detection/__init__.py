"""Metrics of objects that are found in images, each by a box.

Owns: nothing but its modules; their metrics are names of ``glowplug_metrics``.
Must not know: models that find objects, or who reads the values.
"""
