"""A diagnosis as people and programs read it.

Owns: its text and its JSON.
Must not know: how it was made, or where it goes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from glowplug.doctor.examination import Diagnosis, Examined
from glowplug.doctor.remarks import Remark, Severity
from glowplug.doctor.requirements import Unmet
from glowplug.roster import PluginState


def as_text(diagnosis: Diagnosis) -> str:
    """Return a diagnosis for people.

    Args:
        diagnosis: what was found.

    Returns:
        Lines: the installation, the plugins, and what there is to say, what weighs most first.
    """
    python, torch = diagnosis.interpreter, diagnosis.torch
    devices = [f"{each.device}  {each.name}" for each in torch.accelerators]
    rows = [
        ("python", f"{python.implementation} {python.version}  {python.executable}"),
        ("platform", python.platform),
        ("glowplug", f"{diagnosis.version}  {diagnosis.location}"),
        ("torch", _torch(diagnosis)),
        *(("device", device) for device in devices or ["none besides the CPU"]),
        *(("plugin", _plugin(examined)) for examined in diagnosis.plugins),
    ]
    lines = [f"{label:<10} {value}" for label, value in rows]
    for remark in diagnosis.remarks:
        lines += ["", *_remark(remark)]
    return "\n".join([*lines, "", _verdict(diagnosis.remarks)]) + "\n"


def _torch(diagnosis: Diagnosis) -> str:
    torch = diagnosis.torch
    if not torch.installed:
        return "not installed"
    return f"{torch.version} (broken)".lstrip() if torch.error else torch.version


def _plugin(examined: Examined) -> str:
    plugin = examined.plugin
    state = f"off: {plugin.reason}" if plugin.state is PluginState.OFF else plugin.state.value
    return f"{plugin.title} ({state})"


def _remark(remark: Remark) -> Iterator[str]:
    yield f"{remark.severity.value}: {remark.about}: {' '.join(remark.what.split())}"
    yield from (f"    {line}" for line in remark.traceback.splitlines())
    for number, line in enumerate(remark.mend):
        yield f"  {'or:' if number else 'type:':<5} {line}"


def _verdict(remarks: Iterable[Remark]) -> str:
    count = Counter(remark.severity for remark in remarks)
    words = [f"{n} {weight.value}{'s' * (n > 1)}" for weight in Severity if (n := count[weight])]
    return f"{', '.join(words)}." if words else "Nothing is wrong."


def as_json(diagnosis: Diagnosis) -> str:
    """Return a diagnosis for programs.

    The document is an object with ``format`` (1), ``ok`` (whether nothing is broken that was asked
    for), ``python`` (``implementation``, ``version``, ``executable``, ``platform``), ``glowplug``
    (``version``, ``location``), ``torch``, ``switches``, ``plugins`` and ``remarks``.

    - ``torch`` has ``installed``, ``version``, ``error``, ``traceback`` and ``accelerators``, of
      which each has ``device`` and ``name``.
    - ``switches`` has ``only`` (names, or null for all), ``disable`` (where it was said, by name)
      and ``strict``.
    - A plugin has ``name``, ``version``, ``location``, ``state`` (``active``, ``off`` or
      ``broken``), ``reason``, ``traceback``, ``asked_for``, ``unmet`` and ``missing_extras`` (lists
      like ``unmet``, by the extra's name); an unmet requirement has ``requirement``, ``why`` and
      ``known`` (false where it cannot be told).
    - A remark has ``severity`` (``error``, ``warning`` or ``note``), ``about``, ``what``, ``mend``
      (lines to type, each enough by itself) and ``traceback``.

    Keys may be added; ``format`` changes when one changes its meaning.

    Args:
        diagnosis: what was found.

    Returns:
        A JSON document.
    """
    torch = diagnosis.torch
    document = {
        "format": 1,
        "ok": diagnosis.ok,
        "python": vars(diagnosis.interpreter),
        "glowplug": {"version": diagnosis.version, "location": diagnosis.location},
        "torch": {
            "installed": torch.installed,
            "version": torch.version,
            "error": torch.error,
            "traceback": torch.traceback,
            "accelerators": [vars(accelerator) for accelerator in torch.accelerators],
        },
        "switches": {
            "only": None if diagnosis.switches.only is None else [*diagnosis.switches.only],
            "disable": {**diagnosis.switches.disable},
            "strict": diagnosis.switches.strict,
        },
        "plugins": [_plugin_as_data(examined) for examined in diagnosis.plugins],
        "remarks": [
            {**vars(remark), "severity": remark.severity.value} for remark in diagnosis.remarks
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _plugin_as_data(examined: Examined) -> dict[str, Any]:
    plugin = examined.plugin
    return {
        "name": plugin.name,
        "version": plugin.version,
        "location": plugin.manifest.location,
        "state": plugin.state.value,
        "reason": plugin.reason,
        "traceback": plugin.traceback,
        "asked_for": plugin.asked_for,
        "unmet": [_unmet_as_data(unmet) for unmet in examined.unmet],
        "missing_extras": {
            extra: [_unmet_as_data(unmet) for unmet in lacking]
            for extra, lacking in examined.missing_extras
        },
    }


def _unmet_as_data(unmet: Unmet) -> dict[str, Any]:
    return {"requirement": unmet.title, "why": unmet.why, "known": unmet.known}
