"""torch and the accelerators that it sees.

Owns: importing torch in a process of its own, and what that tells.
Must not know: who needs torch, or how it is told.
"""

from __future__ import annotations

import importlib
import importlib.util
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from glowplug.child import ask
from glowplug.manifest import library

SECONDS = 120.0


@dataclass(frozen=True)
class Accelerator:
    """A device that torch can use besides the CPU.

    Args:
        device: as torch names it, such as ``"cuda:0"``.
        name: as its maker names it.
    """

    device: str
    name: str


@dataclass(frozen=True)
class Torch:
    """The installation of torch, or that there is none.

    Args:
        installed: whether there is one.
        version: its version.
        error: why it cannot be imported, in one line; empty where it can.
        traceback: where the import went wrong.
        accelerators: the devices that it sees.
        remarks: what it said of devices that it cannot use.
    """

    installed: bool = False
    version: str = ""
    error: str = ""
    traceback: str = ""
    accelerators: tuple[Accelerator, ...] = ()
    remarks: tuple[str, ...] = ()


def find_torch(seconds: float = SECONDS) -> Torch:
    """Look for torch and what it sees, in a process of its own.

    Args:
        seconds: how long its import and its look at the devices may take.

    Returns:
        What was found.
    """
    if importlib.util.find_spec("torch") is None:
        return Torch()
    try:
        version = library().version("torch") or ""
    except Exception:  # no metadata, or none that can be read; an import tells the version, too
        version = ""
    answer = ask("glowplug.doctor.hardware:look", "torch", seconds)
    if answer.error:
        return Torch(True, version, f"its import {answer.error}", answer.output)
    seen = dict(answer.value)
    accelerators = tuple(Accelerator(*pair) for pair in seen.pop("accelerators"))
    remarks = tuple(seen.pop("remarks"))
    version = seen.pop("version") or version
    return Torch(True, version, accelerators=accelerators, remarks=remarks, **seen)


def look(library_name: str) -> dict[str, Any]:
    """Import torch in this process, and look at its devices.

    Args:
        library_name: ``"torch"``.

    Returns:
        The fields of ``Torch`` that this tells, as JSON can hold them.
    """
    found: dict[str, Any] = {"version": "", "error": "", "traceback": ""}
    accelerators: list[tuple[str, str]] = []
    remarks: list[str] = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            torch = importlib.import_module(library_name)
            found["version"] = str(torch.__version__)
        except (Exception, SystemExit) as error:
            found["error"] = f"{type(error).__name__}: {error}"
            found["traceback"] = traceback.format_exc()
        else:
            for kind, devices in (("cuda", _cuda), ("xpu", _xpu), ("mps", _mps)):
                try:
                    accelerators += devices(torch)
                except Exception as error:  # a broken driver must not hide what else there is
                    remarks.append(f"{kind}: {type(error).__name__}: {error}")
    about = ("cuda", "xpu", "mps", "driver", "nvidia", "hip")
    said = [str(warning.message) for warning in warned]
    remarks += [text for text in said if any(word in text.lower() for word in about)]
    return {**found, "accelerators": accelerators, "remarks": remarks}


def _cuda(torch: Any) -> Iterator[tuple[str, str]]:
    return _numbered("cuda", torch.cuda)


def _xpu(torch: Any) -> Iterator[tuple[str, str]]:
    module = getattr(torch, "xpu", None)
    return _numbered("xpu", module) if module else iter(())


def _mps(torch: Any) -> Iterator[tuple[str, str]]:
    if torch.backends.mps.is_available():
        yield "mps", "Apple GPU"


def _numbered(kind: str, module: Any) -> Iterator[tuple[str, str]]:
    if module.is_available():
        for index in range(module.device_count()):
            yield f"{kind}:{index}", str(module.get_device_name(index))
