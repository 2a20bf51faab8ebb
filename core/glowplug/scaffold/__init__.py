"""``glowplug plugins new``: a package to start a plugin from.

Owns: the modules that make it, and the templates of its files.
Must not know: how a command line is read.
"""
