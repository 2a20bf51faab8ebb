"""Hostile: its import takes the interpreter down, as a fault in a C library would."""

import os

os._exit(9)
