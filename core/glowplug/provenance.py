"""Which plugin a module belongs to.

Owns: finding the distribution that provides a module, for the notes on errors.
Must not know: handlers, engines, or which plugins are switched on.

Asked only once something has failed, so nothing is prepared before. Nothing is imported either.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from glowplug.components import parse_target
from glowplug.manifest import Manifest


def owner_of(module: str, manifests: Iterable[Manifest]) -> Manifest | None:
    """Return the plugin whose distribution provides a module.

    Args:
        module: the module's full name, as in ``handler.__module__``.
        manifests: the plugins.

    Returns:
        The plugin that provides the module or, if none does for sure, the nearest package around
        it; None where no plugin does, or where several do equally.
    """
    segments = module.split(".")
    parents = {".".join(segments[: end + 1]): end + 1 for end in range(len(segments))}
    depths = [
        (max((parents.get(owned, 0) for owned in _modules(manifest)), default=0), manifest)
        for manifest in manifests
    ]
    deepest = max((depth for depth, _ in depths), default=0)
    owners = [manifest for depth, manifest in depths if depth == deepest]
    return owners[0] if deepest and len(owners) == 1 else None


def _modules(manifest: Manifest) -> Iterator[str]:
    yield from _recorded(manifest)
    components = [c.target for c in manifest.components if isinstance(c.target, str)]
    for target in (*components, *manifest.hooks):
        module = parse_target(target)[0]
        yield module
        # An editable installation records no modules, so the entry points must do. What is above
        # them is the plugin's as well, except for a namespace that several distributions share.
        while "." in module:
            module = module.rpartition(".")[0]
            if not _is_namespace(module):
                yield module


def _is_namespace(package: str) -> bool:
    loaded = sys.modules.get(package)
    return loaded is not None and getattr(loaded, "__file__", None) is None


def _recorded(manifest: Manifest) -> Iterator[str]:
    from pathlib import Path, PurePosixPath  # few programs ask

    try:
        record = (Path(manifest.metadata) / "RECORD").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return
    for line in record.splitlines():
        path = PurePosixPath(line.partition(",")[0].strip('"'))
        if path.suffix == ".py" and ".." not in path.parts:
            parts = path.with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
