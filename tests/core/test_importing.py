"""What ``import glowplug`` and listing plugins load.

Owns: that neither loads torch, a plugin, or anything else that the core does not declare.
Must not know: what the core does.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "tqdm", "tensorboard"}


def loaded_by(code: str) -> set[str]:
    """Return the packages beyond the standard library that ``code`` loads in a fresh Python."""
    tell = (
        "import sys; sys.stderr.write(' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    found = []
    for program in (tell, f"{code}; {tell}"):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(set(done.stderr.split()))
    at_start, after = found
    return after - at_start - sys.stdlib_module_names


def plugins_in(loaded: set[str]) -> set[str]:
    """Return which of the packages are plugins, or libraries that only plugins use."""
    return {name for name in loaded if name.startswith("glowplug_") or name in HEAVY}


def test_importing_glowplug_loads_only_what_the_core_declares() -> None:
    assert loaded_by("import glowplug") == {"glowplug", "pluggy"}


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["list", "--kind", "logger"]])
def test_listing_plugins_imports_none_of_them(arguments: list[str]) -> None:
    code = f"from glowplug.cli import main; main(['plugins', *{arguments}])"
    assert plugins_in(loaded_by(code)) == set()


def test_making_an_engine_imports_no_plugin_that_only_offers_components() -> None:
    loaded = loaded_by("import glowplug; glowplug.Engine(lambda engine, batch: batch)")
    assert plugins_in(loaded) == set()
