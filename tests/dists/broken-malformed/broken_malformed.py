"""Hostile: its entry_points.txt cannot be parsed."""
