"""Metrics of images: how alike two are, and how good generated ones are.

Owns: nothing but its modules; their metrics are names of ``glowplug_metrics``.
Must not know: models that make images, or who reads the values.
"""
