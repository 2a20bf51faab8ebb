"""Hostile: a group that is not glowplug's, and components that are not of their kind."""


class Handler:
    """Neither events nor a command."""
