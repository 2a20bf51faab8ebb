"""Hostile: its import ends the interpreter."""

import sys

sys.exit("this plugin wants Python to end")
