"""The examination of an installation: Python, torch, and every plugin.

Owns: what is examined, and in which order and how far at once.
Must not know: how the diagnosis is worded or shown.
"""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from glowplug.components import Kind
from glowplug.doctor import remarks
from glowplug.doctor.hardware import Torch, find_torch
from glowplug.doctor.remarks import Remark, Severity
from glowplug.doctor.requirements import Unmet, extras, unmet
from glowplug.errors import AmbiguousComponent, GlowplugError, InvalidArgument, PluginWarning
from glowplug.manifest import Manifest, Scan, installed, library
from glowplug.plugins import ATTACHABLE, PluginManager
from glowplug.probe import Finding, probe
from glowplug.reserved import RESERVED
from glowplug.roster import Plugin, PluginState
from glowplug.switches import Switches


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs this.

    Args:
        implementation: its name, such as ``"CPython"``.
        version: its version.
        executable: the path of its program.
        platform: the system that it runs on, in words.
    """

    implementation: str
    version: str
    executable: str
    platform: str

    @classmethod
    def here(cls) -> Interpreter:
        """Return this one."""
        implementation, version = platform.python_implementation(), platform.python_version()
        return cls(implementation, version, sys.executable, platform.platform())


@dataclass(frozen=True)
class Examined:
    """A plugin after its examination.

    Args:
        plugin: the plugin, broken where it was found to be.
        unmet: what it requires and is not there, or of which that cannot be told.
        missing_extras: its extras of which something is missing, and what.
        remarks: what is wrong with it.
    """

    plugin: Plugin
    unmet: tuple[Unmet, ...] = ()
    missing_extras: tuple[tuple[str, tuple[Unmet, ...]], ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What an examination found.

    Args:
        interpreter: the Python that runs this.
        version: glowplug's own.
        location: the folder that glowplug is imported from.
        torch: the installation of torch.
        switches: what the user said about plugins.
        plugins: every plugin, sorted by name.
        remarks: all that there is to say, what weighs most first.
    """

    interpreter: Interpreter
    version: str
    location: str
    torch: Torch
    switches: Switches
    plugins: tuple[Examined, ...]
    remarks: tuple[Remark, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is broken that was asked for."""
        return not self.of(Severity.ERROR)

    def of(self, severity: Severity) -> tuple[Remark, ...]:
        """Return the remarks of one weight."""
        return tuple(remark for remark in self.remarks if remark.severity is severity)


def diagnose(
    version: str,
    only: Iterable[str] | None = None,
    disable: Iterable[str] = (),
    strict: bool | None = None,
) -> Diagnosis:
    """Examine the installation. torch and each plugin are imported in processes of their own.

    Args:
        version: glowplug's own.
        only: these plugins and no others, as with a manager; what is wrong with them is an error.
        disable: not these.
        strict: whether anything that is broken is an error.

    Returns:
        The diagnosis; nothing that is wrong raises.
    """
    only, disable = None if only is None else list(only), list(disable)
    said: list[Remark] = []
    try:
        switches = Switches.read(only, disable, (), strict)
    except InvalidArgument as error:
        said.append(remarks.of_strictness(error))
        switches = Switches.read(only, disable, (), False)
    scan = installed()
    manager = _lenient_manager(scan, only, disable)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        torch = pool.submit(find_torch)
        real = {manifest.name: manifest for manifest in scan.manifests}
        plugins = [replace(plugin, manifest=real[plugin.name]) for plugin in manager.plugins]
        examined = tuple(pool.map(lambda plugin: _examine(plugin, switches), plugins))
    said += remarks.of_requirements("glowplug", _unmet_by("glowplug"), Severity.ERROR)
    unreadable = [manifest.name for manifest in scan.manifests if manifest.error]
    said += remarks.of_torch(torch.result(), _unmet_by("torch"), unreadable, switches.strict)
    said += remarks.of_switches(switches, plugins)
    said += (remark for each in examined for remark in each.remarks)
    said += _of_names(manager)
    said += map(remarks.of_leftover, scan.leftovers)
    order = list(Severity)
    return Diagnosis(
        interpreter=Interpreter.here(),
        version=version,
        location=str(Path(__file__).parents[2]),
        torch=torch.result(),
        switches=switches,
        plugins=examined,
        remarks=tuple(sorted(said, key=lambda remark: order.index(remark.severity))),
    )


def _lenient_manager(scan: Scan, only: list[str] | None, disable: list[str]) -> PluginManager:
    """Return a manager that takes no offence at what the examination itself looks at."""
    harmless = tuple(replace(manifest, error="", twins=()) for manifest in scan.manifests)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        return PluginManager(only=only, disable=disable, strict=False, scan=Scan(harmless))


def _examine(plugin: Plugin, switches: Switches) -> Examined:
    manifest = plugin.manifest
    missing: tuple[Unmet, ...] = ()
    lacking: tuple[tuple[str, tuple[Unmet, ...]], ...] = ()
    findings: list[Finding] = []
    if plugin.active and manifest.error:
        findings = [Finding("its entry points cannot be read", manifest.error)]
    elif plugin.active:
        missing, lacking = _requirements(manifest)
        findings = probe(plugin.name)
    said = [*remarks.of_plugin(plugin, missing, findings, switches)]
    said += (remarks.of_extra(plugin, extra, needed) for extra, needed in lacking)
    for finding in findings:
        if finding.error:
            reason = f"{finding.what}: {finding.error}"
            broken = replace(plugin, state=PluginState.BROKEN, reason=reason)
            plugin = replace(broken, traceback=finding.traceback)
            break
    return Examined(plugin, missing, lacking, tuple(said))


def _requirements(
    manifest: Manifest,
) -> tuple[tuple[Unmet, ...], tuple[tuple[str, tuple[Unmet, ...]], ...]]:
    """Return what is missing of a plugin's requirements, and what of those of its extras."""
    metadata = library()
    found = manifest.metadata
    distribution = (
        metadata.Distribution.at(found) if found else metadata.distribution(manifest.name)
    )
    needed = ((extra, unmet(distribution, extra)) for extra in extras(distribution))
    known = ((extra, tuple(each for each in all_ if each.known)) for extra, all_ in needed)
    return unmet(distribution), tuple((extra, lacking) for extra, lacking in known if lacking)


def _unmet_by(distribution: str) -> tuple[Unmet, ...]:
    """Return what a distribution requires and is not there."""
    metadata = library()
    try:
        return unmet(metadata.distribution(distribution))
    except metadata.PackageNotFoundError:
        return ()  # not installed, or imported from its sources, which have no metadata


def _of_names(manager: PluginManager) -> Iterator[Remark]:
    """Yield what to say of names that need a qualifier, without importing anything."""
    together = [ATTACHABLE, *((kind,) for kind in Kind if kind not in ATTACHABLE)]
    for kinds in together:
        offers = manager.offers(*kinds)
        for name in dict.fromkeys(offer.component.name for offer in offers):
            if any((kind, name) in RESERVED for kind in kinds):
                continue
            try:
                manager.find(name, kinds)
            except AmbiguousComponent as error:
                yield remarks.of_ambiguity(error)
            except GlowplugError as error:
                yield Remark(Severity.NOTE, f"component {name!r}", str(error))
        for offer in offers:
            component = offer.component
            owner = RESERVED.get((component.kind, component.name), offer.plugin)
            if owner != offer.plugin:
                plugin = manager.plugin(offer.plugin)
                yield remarks.of_squatter(plugin, component.kind.value, component.name, owner)
