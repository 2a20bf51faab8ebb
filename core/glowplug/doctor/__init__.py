"""``glowplug doctor``: what is wrong with an installation, and what to type about it.

Owns: the modules of the examination, from the reading of requirements to the report.
Must not know: how a command line is read before the command's name.
"""
