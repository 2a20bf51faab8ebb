"""Metrics of predicted classes and labels, and of the scores that rank them.

Owns: nothing but its modules; their metrics are names of ``glowplug_metrics``.
Must not know: models, loggers, or who reads the values.
"""
