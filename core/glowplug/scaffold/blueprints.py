"""What a new package is made of.

Owns: the kinds of packages that can be made, and their files, which the templates beside it hold.
Must not know: which names are fit for a package, or where it is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from string import Template
from types import MappingProxyType

from glowplug import __version__
from glowplug.components import Kind
from glowplug.errors import InvalidArgument, did_you_mean
from glowplug.manifest import HOOK_GROUP

LINE_LENGTH = 100
"""The longest line that the linter of a new package lets through."""


@dataclass(frozen=True)
class Blueprint:
    """A kind of package. In its texts, ``${class_name}`` and the like stand for the package's own.

    Args:
        kind: how users ask for it, the folder of its templates, and the package's module.
        summary: what the example that it starts from does.
        offers: what the README says of the component, or the hook.
        public: the public names of the package; none where it is a hook plugin.
    """

    kind: str
    summary: str
    offers: str
    public: tuple[str, ...] = ("${class_name}",)

    @property
    def group(self) -> str:
        """The entry-point group that declares it."""
        return Kind.of(self.kind).group if self.public else HOOK_GROUP

    @property
    def target(self) -> str:
        """What the entry point names."""
        return f"${{package}}:{self.public[0]}" if self.public else f"${{package}}.{self.kind}"


BLUEPRINTS: Mapping[str, Blueprint] = MappingProxyType(
    {
        blueprint.kind: blueprint
        for blueprint in (
            Blueprint(
                "handler",
                "Ends a run at an output that is not finite",
                '`${class_name}`, also as `Engine(step, handlers=["${name}"])`',
            ),
            Blueprint(
                "logger",
                "Writes what each epoch came to as a line of JSON",
                '`${class_name}(path)`, also as `Engine(step, handlers=["${name}"])`',
            ),
            Blueprint(
                "scheduler",
                "Moves a parameter of an optimizer in a straight line",
                "`${class_name}(optimizer, start_value, end_value, duration)`",
            ),
            Blueprint(
                "metric",
                "Computes the share of predictions that equal their targets",
                "`${class_name}`, attached by `attach(engine, name)`",
            ),
            Blueprint(
                "trainer",
                "Makes an engine that fits a linear model",
                "`create_${package}(weights)`, which returns an engine",
                ("create_${package}",),
            ),
            Blueprint(
                "events",
                "Events of a run that gets better, or does not",
                '`${class_name}`: `Engine(step, events=["${name}"])`; `fire_${package}(engine)`'
                " fires them",
                ("${class_name}", "fire_${package}"),
            ),
            Blueprint(
                "hooks",
                "Says in the log how long each run of each engine took",
                "acts on every engine, until GLOWPLUG_DISABLE_PLUGINS=${name} switches it off",
                (),
            ),
        )
    }
)
"""The kinds of packages by their names."""


def blueprint_of(kind: str) -> Blueprint:
    """Return the blueprint of a kind.

    Args:
        kind: ``"handler"`` and so on; ``"hooks"`` is a hook plugin.

    Returns:
        The blueprint.

    Raises:
        InvalidArgument: when packages of this kind cannot be made.

    Example:
        >>> blueprint_of("handler").group
        'glowplug.handlers'
    """
    if kind not in BLUEPRINTS:
        raise InvalidArgument(
            f"expected a kind of package, one of {', '.join(BLUEPRINTS)}; got {kind!r}"
            f"{did_you_mean(str(kind), BLUEPRINTS)}"
        )
    return BLUEPRINTS[kind]


def files(
    blueprint: Blueprint, names: Mapping[str, str], holder: str | None = None
) -> dict[str, str]:
    """Return the files of a package.

    Args:
        blueprint: its kind.
        names: its ``name``, ``package`` and ``class_name``.
        holder: who holds the copyright: the package is under the MIT licence then; without a
            holder it has no licence, and says so.

    Returns:
        Texts by paths, which are relative and have slashes.
    """
    values = {**names, **_licence(holder), "module": blueprint.kind, "group": blueprint.group}
    values |= {"summary": blueprint.summary, "glowplug": _lower_bound()}
    values["kind"] = blueprint.kind if blueprint.public else "hook plugin"
    for key in ("target", "offers"):
        values[key] = Template(getattr(blueprint, key)).substitute(values)
    public = [Template(name).substitute(values) for name in blueprint.public]
    values |= {"public": ", ".join(public), "quoted": ", ".join(f'"{name}"' for name in public)}
    values["usage"] = _text(f"{blueprint.kind}/usage.py", values)
    made = {
        "pyproject.toml": "package/pyproject.toml",
        "README.md": "package/README.md",
        "CHANGELOG.md": "package/CHANGELOG.md",
        ".gitignore": "package/gitignore",
        ".github/workflows/ci.yml": "package/ci.yml",
        f"src/{names['package']}/__init__.py": "package/init.py" if public else "hooks/init.py",
        f"src/{names['package']}/py.typed": "package/py.typed",
        f"src/{names['package']}/{blueprint.kind}.py": f"{blueprint.kind}/component.py",
        "tests/conftest.py": "package/conftest.py",
        f"tests/test_{blueprint.kind}.py": f"{blueprint.kind}/test.py",
    }
    if holder is not None:
        made["LICENSE"] = "package/LICENSE"
    return {path: _wrapped(_text(template, values)) for path, template in made.items()}


def _text(template: str, values: Mapping[str, str]) -> str:
    source = resources.files("glowplug.scaffold") / "templates" / f"{template}.template"
    return Template(source.read_text(encoding="utf-8")).substitute(values)


def _wrapped(text: str) -> str:
    """Return code whose imports fit its lines; long names make them longer than the templates'."""

    def wrap(line: re.Match[str]) -> str:
        names = "".join(f"    {name},\n" for name in line["names"].split(", "))
        return line[0] if len(line[0]) <= LINE_LENGTH else f"{line['start']}(\n{names})"

    return re.sub(r"^(?P<start>from \S+ import )(?P<names>.+)$", wrap, text, flags=re.MULTILINE)


def _lower_bound() -> str:
    """Return this glowplug's version as dependencies name it: major and minor."""
    return ".".join(__version__.split(".")[:2])


def _licence(holder: str | None) -> dict[str, str]:
    if holder is None:
        says = "None has been chosen, so nobody else may use this yet: add a `LICENSE`."
        return {"licence_keys": "", "licence": says}
    # a string of JSON without escapes of its own is one of TOML
    author = json.dumps(holder, ensure_ascii=False)
    keys = f'license = "MIT"\nlicense-files = ["LICENSE"]\nauthors = [{{ name = {author} }}]\n'
    says = f"MIT, see `LICENSE`. Copyright (c) {date.today().year} {holder}."
    year = str(date.today().year)
    return {"licence_keys": keys, "licence": says, "year": year, "holder": holder}
