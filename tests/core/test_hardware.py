"""What is found of torch, with packages of that name that are laid down for the test.

Owns: the version, the devices, and a torch that cannot be imported.
Must not know: the real torch, which is not installed where the core is tested.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glowplug.doctor.hardware import Accelerator, Torch, find_torch

Lay = Callable[[str], None]

DEVICES = """
import warnings
from types import SimpleNamespace
__version__ = "9.9+fake"
class Numbered:
    def __init__(self, *names): self.names = names
    def is_available(self): return bool(self.names)
    def device_count(self): return len(self.names)
    def get_device_name(self, index): return self.names[index]
cuda, xpu = Numbered("ACME 9000", "ACME 9001"), Numbered()
backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
"""


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """A function that lays down a package of torch's name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(code: str) -> None:
        (tmp_path / "torch").mkdir()
        (tmp_path / "torch" / "__init__.py").write_text(code, "utf-8")

    return make


def test_the_devices_are_named_and_torch_is_not_imported_here(lay: Lay) -> None:
    before = "torch" in sys.modules
    lay(DEVICES)
    assert find_torch() == Torch(
        installed=True,
        version="9.9+fake",
        accelerators=(Accelerator("cuda:0", "ACME 9000"), Accelerator("cuda:1", "ACME 9001")),
    )
    assert ("torch" in sys.modules) is before


def test_a_torch_without_devices_is_no_fault(lay: Lay) -> None:
    lay(DEVICES + "cuda = Numbered()\ndel xpu")
    assert find_torch() == Torch(installed=True, version="9.9+fake")


def test_a_gpu_of_apples_is_found(lay: Lay) -> None:
    lay(DEVICES + "cuda = Numbered()\nbackends.mps.is_available = lambda: True")
    assert find_torch().accelerators == (Accelerator("mps", "Apple GPU"),)


def test_a_driver_that_fails_is_remarked_on_and_hides_no_other_device(lay: Lay) -> None:
    broken = "def fail(): raise RuntimeError('no driver')\ncuda.is_available = fail\n"
    lay(DEVICES + broken + "xpu = Numbered('ACME X')")
    found = find_torch()
    assert found.remarks == ("cuda: RuntimeError: no driver",)
    assert found.accelerators == (Accelerator("xpu:0", "ACME X"),)


def test_what_torch_warns_of_its_devices_is_kept_and_other_warnings_are_not(lay: Lay) -> None:
    lay(DEVICES + "warnings.warn('your CUDA driver is old')\nwarnings.warn('a word is deprecated')")
    assert find_torch().remarks == ("your CUDA driver is old",)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import a_module_that_nobody_has", "ModuleNotFoundError: No module named 'a_module"),
        ("raise SystemExit('no')", "SystemExit: no"),
        ("import os; os._exit(9)", "its import ended Python with code 9"),
    ],
)
def test_a_torch_that_cannot_be_imported_says_why(lay: Lay, code: str, error: str) -> None:
    lay(code)
    found = find_torch()
    assert found.installed
    assert found.error.startswith(error)


def test_a_torch_that_hangs_is_given_up(lay: Lay) -> None:
    lay("import time; time.sleep(60)")
    assert find_torch(0.5).error == "its import did not come to an end within 0.5 s"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_torch_that_leaves_a_process_behind_is_not_waited_for(lay: Lay, tmp_path: Path) -> None:
    sleeper = "import subprocess, sys; left = subprocess.Popen([sys.executable, '-c', SLEEP])"
    tell = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(left.pid))"
    lay(f"SLEEP = 'import time; time.sleep(600)'\n{sleeper}\n{tell}\nimport os; os._exit(3)")
    assert find_torch().error == "its import ended Python with code 3"
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)  # an error if it were gone


def test_no_torch_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert find_torch() == Torch()
