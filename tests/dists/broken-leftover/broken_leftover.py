"""Hostile: what an interrupted pip leaves behind of it must not be taken for a plugin."""

raise AssertionError("a leftover was imported")
