"""A plugin's check as an assertion."""

from __future__ import annotations

import subprocess
import sys

import pytest

from glowplug.errors import MissingPlugin
from glowplug.switches import DISABLE
from glowplug.testing import PluginMaker, assert_plugin_ok

HANDLERS = {"glowplug.handlers": {"guard": "acme_guard:Guard", "limit": "acme_guard:LIMIT"}}
GUARD = "class Guard:\n    def attach(self, engine): ...\n"


def test_a_whole_plugin_passes(make_plugin: PluginMaker) -> None:
    source = f"{GUARD}def LIMIT(engine): ...\n"
    make_plugin("acme-guard", modules={"acme_guard": source}, entry_points=HANDLERS)
    assert_plugin_ok("acme-guard")


def test_a_broken_plugin_fails_with_all_that_is_wrong(make_plugin: PluginMaker) -> None:
    make_plugin("acme-guard", modules={"acme_guard": "LIMIT = 3"}, entry_points=HANDLERS)
    with pytest.raises(AssertionError, match=r"acme-guard 1\.0: 2 of 2 failed") as failed:
        assert_plugin_ok("acme-guard")
    said = str(failed.value)
    assert "limit (acme_guard:LIMIT): expected a class, a function" in said
    assert "has no attribute 'Guard'" in said
    assert "Traceback (most recent call last)" in said


def test_a_plugin_whose_metadata_is_broken_fails(make_plugin: PluginMaker) -> None:
    make_plugin("acme-guard", entry_points={"glowplug.handlers": {"guard": "no target"}})
    with pytest.raises(AssertionError, match="its entry points cannot be read"):
        assert_plugin_ok("acme-guard")


def test_a_plugin_that_hangs_fails(make_plugin: PluginMaker) -> None:
    source = "import time\ntime.sleep(60)"
    make_plugin("acme-guard", modules={"acme_guard": source}, entry_points=HANDLERS)
    with pytest.raises(AssertionError, match=r"did not come to an end within 0\.5 s"):
        assert_plugin_ok("acme-guard", seconds=0.5)


def test_a_plugin_that_is_switched_off_was_not_checked(
    make_plugin: PluginMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plugin("acme-guard", modules={"acme_guard": GUARD}, entry_points=HANDLERS)
    monkeypatch.setenv(DISABLE, "acme-guard")
    with pytest.raises(AssertionError, match="switched off by GLOWPLUG_DISABLE_PLUGINS"):
        assert_plugin_ok("acme-guard")


def test_without_pytest_the_kit_says_what_to_install() -> None:
    code = "import sys; sys.modules['pytest'] = None; import glowplug.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("needs pytest: pip install 'glowplug[testing]'\n")


def test_a_plugin_that_is_not_installed_is_said_so(make_plugin: PluginMaker) -> None:
    make_plugin("acme-guard", modules={"acme_guard": GUARD}, entry_points=HANDLERS)
    with pytest.raises(MissingPlugin, match="no plugin 'acme-gard' is installed; did you mean"):
        assert_plugin_ok("acme-gard")
