"""What there is to say of an installation, and what to type about it.

Owns: the wording of what is wrong or worth knowing, each with its weight and its remedy.
Must not know: how it was found out, or how it is shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from glowplug.doctor import mending
from glowplug.doctor.hardware import Torch
from glowplug.doctor.requirements import Unmet
from glowplug.errors import AmbiguousComponent, InvalidArgument, did_you_mean
from glowplug.probe import Finding
from glowplug.reserved import RESERVED
from glowplug.roster import Plugin, PluginState
from glowplug.switches import DISABLE, ONLY, PREFIX, STRICT, Switches, match, normalise


class Severity(Enum):
    """How much a remark weighs."""

    ERROR = "error"
    """What was asked for is broken."""
    WARNING = "warning"
    """Something is broken that nobody asked for."""
    NOTE = "note"
    """Nothing is broken."""


@dataclass(frozen=True)
class Remark:
    """One thing to say of an installation.

    Args:
        severity: how much it weighs.
        about: what it is about: a plugin, torch, a variable or an option.
        what: what is the matter, in words.
        mend: what to type, each line by itself being enough; empty where that cannot be said.
        traceback: where it went wrong.
    """

    severity: Severity
    about: str
    what: str
    mend: tuple[str, ...] = ()
    traceback: str = ""


def of_strictness(error: InvalidArgument) -> Remark:
    """Return what to say of a ``GLOWPLUG_STRICT`` that says neither yes nor no.

    Args:
        error: what reading it raised.
    """
    return Remark(Severity.ERROR, STRICT, str(error), (mending.unset(STRICT),))


def of_switches(switches: Switches, plugins: Sequence[Plugin]) -> Iterator[Remark]:
    """Yield what to say of the switches: names that match nothing, and plugins that are off.

    Args:
        switches: what the user said.
        plugins: how the plugins stand.
    """
    known = [plugin.name for plugin in plugins]
    for name in switches.only or ():
        if match(name, known) is None:
            own = match(name, RESERVED.values())
            missing = mending.install(own or normalise(name))
            names = switches.only or ()
            yield _unmatched(switches.only_source, ONLY, name, names, known, missing)
    for name, source in switches.disable.items():
        if match(name, known) is None:
            names = _said_by(source, switches)
            rest = mending.switch(source, DISABLE, [other for other in names if other != name])
            yield _unmatched(source, DISABLE, name, names, known, rest)
    sources = dict.fromkeys(p.reason for p in plugins if p.state is PluginState.OFF)
    for source in sources:
        off = [p.name for p in plugins if p.state is PluginState.OFF and p.reason == source]
        mend = mending.switch(source, ONLY if source == switches.only_source else DISABLE, [])
        yield Remark(Severity.NOTE, source, f"switches off {', '.join(off)}", (mend,))


def _said_by(source: str, switches: Switches) -> tuple[str, ...]:
    return tuple(name for name, by in switches.disable.items() if by == source)


def _unmatched(
    source: str, variable: str, name: str, names: Sequence[str], known: Sequence[str], other: str
) -> Remark:
    """Return what to say of a name that matches nothing; ``other`` mends it if none is near."""
    spelled = [*known, *(each.removeprefix(PREFIX) for each in known if each.startswith(PREFIX))]
    near = difflib.get_close_matches(normalise(name), spelled, n=1)
    corrected = [near[0] if near and each == name else each for each in names]
    return Remark(
        Severity.ERROR if variable == ONLY else Severity.WARNING,
        source,
        f"names {name!r}, and no such plugin is installed{did_you_mean(name, spelled)}",
        (mending.switch(source, variable, corrected) if near else other,),
    )


def of_plugin(
    plugin: Plugin, unmet: Sequence[Unmet], findings: Iterable[Finding], switches: Switches
) -> Iterator[Remark]:
    """Yield what is wrong with one plugin.

    Args:
        plugin: the plugin, as the metadata tell.
        unmet: what it requires and is not there.
        findings: what became of it when it was imported.
        switches: what the user said.
    """
    about = f"plugin {plugin.title}"
    weight = Severity.ERROR if plugin.asked_for or switches.strict else Severity.WARNING
    if plugin.state is PluginState.OFF:
        if plugin.asked_for:
            said = _said_by(plugin.reason, switches)
            rest = [name for name in said if match(name, [plugin.name]) is None]
            mend = mending.switch(plugin.reason, DISABLE, rest)
            what = f"is asked for by {switches.only_source}, and switched off by {plugin.reason}"
            yield Remark(weight, about, what, (mend,))
        return
    without = () if plugin.asked_for else (_switched_off(plugin, switches),)
    for rival in plugin.manifest.rivals:
        times = len(plugin.manifest.rivals) + 1
        keep = f"{plugin.name}=={plugin.version}"
        yield Remark(
            weight,
            about,
            f"shadows {rival.version} at {rival.location}; {plugin.manifest.location} is used",
            (mending.install_once(keep, plugin.name, times),),
        )
    yield from of_requirements(about, unmet, weight)
    failed = [finding for finding in findings if finding.error]
    if failed:
        yield _broken(plugin, weight, unmet, failed, without)


def _broken(
    plugin: Plugin,
    weight: Severity,
    unmet: Sequence[Unmet],
    failed: Sequence[Finding],
    without: tuple[str, ...],
) -> Remark:
    """Return what to say of a plugin that fails; ``without`` goes on without it."""
    first, *others = failed
    what = f"{first.what}: {first.error}"
    if others:
        what += f" ({len(others)} more: `glowplug plugins check {plugin.name}`)"
    missing = [each.title for each in unmet if each.known]
    if plugin.manifest.error:
        remedy = mending.reinstall(plugin.name)
    elif missing:
        remedy = mending.install(*missing)
    else:  # a newer version may help where nothing is missing
        remedy = mending.install(plugin.name, upgrade=True)
    return Remark(weight, f"plugin {plugin.title}", what, (remedy, *without), first.traceback)


def _switched_off(plugin: Plugin, switches: Switches) -> str:
    return mending.switch(DISABLE, DISABLE, [*_said_by(DISABLE, switches), plugin.name])


def of_requirements(about: str, unmet: Iterable[Unmet], weight: Severity) -> Iterator[Remark]:
    """Yield what to say of requirements that are not met, or of which that cannot be told.

    Args:
        about: what requires them.
        unmet: the requirements.
        weight: how much it weighs where one is not met.
    """
    for each in unmet:
        if each.known:
            mend = (mending.install(each.title),)
            yield Remark(weight, about, f"needs {each.title}, and {each.why}", mend)
        else:
            what = f"may need {each.title}, which cannot be told: {each.why}"
            yield Remark(Severity.NOTE, about, what)


def of_extra(plugin: Plugin, extra: str, unmet: Sequence[Unmet]) -> Remark:
    """Return what to say of an extra that is not installed.

    Args:
        plugin: the plugin that provides it.
        extra: its name.
        unmet: what is missing of it.
    """
    needed = ", ".join(each.title for each in unmet)
    mend = mending.install(f"{plugin.name}[{extra}]")
    what = f"its extra {extra!r} is not installed, which needs {needed}"
    return Remark(Severity.NOTE, f"plugin {plugin.title}", what, (mend,))


def of_torch(
    torch: Torch, unmet: Sequence[Unmet], unreadable: Sequence[str], strict: bool
) -> Iterator[Remark]:
    """Yield what to say of torch and the devices that it sees.

    Args:
        torch: the installation.
        unmet: what it requires and is not there.
        unreadable: distributions whose entry points cannot be read. torch reads those of all when
            it is imported, and so one of them breaks it.
        strict: whether everything must be whole.
    """
    if not torch.installed:
        what = "is not installed; only plugins that work with tensors need it"
        yield Remark(Severity.NOTE, "torch", what, (mending.install("torch"),))
    if torch.error:
        weight = Severity.ERROR if strict else Severity.WARNING
        what = f"cannot be imported: {torch.error}"
        if unreadable:
            what += f" (the entry points of {', '.join(unreadable)} may be why)"
        missing = [each.title for each in unmet if each.known]
        if missing:
            mend: tuple[str, ...] = (mending.install(*missing),)
        else:
            mend = tuple(map(mending.reinstall, unreadable or ["torch"]))
        yield Remark(weight, "torch", what, mend, torch.traceback)
    for remark in torch.remarks:
        yield Remark(Severity.NOTE, "torch", remark)


def of_ambiguity(error: AmbiguousComponent) -> Remark:
    """Return what to say of a component's name that several plugins offer.

    Args:
        error: what asking for it raises.
    """
    mend = tuple(repr(choice) for choice in error.choices)
    return Remark(Severity.NOTE, f"component {error.name!r}", str(error), mend)


def of_squatter(plugin: Plugin, kind: str, name: str, owner: str) -> Remark:
    """Return what to say of a component whose bare name means glowplug's own.

    Args:
        plugin: the plugin that offers it.
        kind: what the component is for.
        name: its name.
        owner: the distribution of glowplug's whose it is.
    """
    what = f"its {kind} {name!r} is had by its qualified name alone; {name!r} is that of {owner}"
    mend = (repr(f"{plugin.name}:{name}"),)
    return Remark(Severity.NOTE, f"plugin {plugin.title}", what, mend)


def of_leftover(folder: str) -> Remark:
    """Return what to say of what an interrupted pip left behind.

    Args:
        folder: its path.
    """
    what = "was left by an interrupted pip, and is ignored"
    return Remark(Severity.NOTE, folder, what, (mending.remove(folder),))
