"""The core by itself, in an environment that holds its wheel and what that depends on.

Owns: the proof that the core needs no torch and no plugin.
Must not know: what the core does.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import glowplug

MODULES = [f"glowplug.{module.name}" for module in pkgutil.iter_modules(glowplug.__path__)]


@pytest.mark.parametrize("library", ["torch", "numpy", "tqdm", "tensorboard"])
def test_no_library_of_a_plugin_can_be_imported_here(library: str) -> None:
    assert importlib.util.find_spec(library) is None


def test_no_plugin_of_this_repository_is_installed_here() -> None:
    names = {dist.name for dist in metadata.distributions()}
    assert {name for name in names if name.startswith("glowplug")} == {"glowplug"}


def test_the_core_is_the_installed_wheel_and_not_the_tree() -> None:
    folder = Path(str(glowplug.__file__)).parent
    assert folder.parent.name == "site-packages"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_the_core_can_be_imported_here(module: str) -> None:
    assert importlib.import_module(module).__name__ == module


def test_importing_glowplug_reads_no_metadata_of_plugins() -> None:
    code = "import sys, glowplug; print([m for m in sys.modules if 'importlib_metadata' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
