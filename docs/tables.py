"""Writes the tables of the documentation that repeat what is said elsewhere.

Owns: the table of plugins and components, from their metadata, and the table of commands, from
their help; and the pages that hold them.
Must not know: any plugin or command by name.

``python docs/tables.py`` writes them anew between their marks, and says which pages have changed.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from glowplug import Kind

ROOT = Path(__file__).resolve().parents[1]
HOOKS_GROUP = "glowplug"
HOOK_PLUGIN = "hook plugin"
MOST_NAMES = 8
"""How many components of a plugin the README names; the reference has them all."""
KINDS = {kind.group: kind.value for kind in Kind} | {HOOKS_GROUP: HOOK_PLUGIN}


class Offer(NamedTuple):
    """A component, as its plugin's metadata declares it.

    Args:
        name: its name; for a hook plugin the key of its entry point.
        kind: its kind.
        summary: the first line of its docstring.
    """

    name: str
    kind: str
    summary: str


class Package(NamedTuple):
    """A distribution of this repository.

    Args:
        name: its name.
        description: what its metadata says of it.
        offers: its components, in the order of its metadata.
    """

    name: str
    description: str
    offers: tuple[Offer, ...]


def plugins(root: Path = ROOT) -> list[Package]:
    """Return the plugins of a repository in the order of their names."""
    return [read(path.parent) for path in sorted(root.glob("plugins/*/pyproject.toml"))]


def read(folder: Path) -> Package:
    """Return the distribution in a folder, which is neither installed nor imported."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    groups: dict[str, dict[str, str]] = project.get("entry-points", {})
    offers = tuple(
        Offer(name, KINDS[group], summary(folder / "src", target))
        for group, entries in groups.items()
        for name, target in entries.items()
    )
    return Package(project["name"], project["description"], offers)


def summary(source: Path, target: str) -> str:
    """Return the first line of the docstring of ``module:attribute``, or of ``module``.

    Args:
        source: the folder that packages are in.
        target: what an entry point names.
    """
    module, _, attribute = target.partition(":")
    base = source.joinpath(*module.split("."))
    file = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    tree = ast.parse(file.read_text("utf-8"))
    if not attribute:
        return first_line(tree)
    for node in ast.walk(tree):  # what is imported for type checkers alone is imported late
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == attribute:
            return first_line(node)
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == attribute:
                    return summary(source, f"{node.module}:{alias.name}")
    raise LookupError(f"{target} is neither defined nor imported in {file}")


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """Return the summary of a docstring as Markdown, without its full stop."""
    line = (ast.get_docstring(node) or "").partition("\n")[0]
    return line.rstrip(".").replace("``", "`").replace("|", r"\|")


def table(*rows: tuple[str, ...]) -> str:
    """Return rows, the first of which is the head, as a table of Markdown."""
    rules = ("---",) * len(rows[0])
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rules, *rows[1:]))


def components_table() -> str:
    """Return every component of every plugin, with its kind and what it is."""
    rows = [("plugin", "component", "kind", "what it is")]
    for package in plugins():
        link = f"[{package.name}](plugins/{package.name}.md)"
        offers = package.offers or (Offer("", "", package.description),)
        for place, offer in enumerate(offers):
            name = f"`{offer.name}`" if offer.name and offer.kind != HOOK_PLUGIN else ""
            rows.append(("" if place else link, name, offer.kind, offer.summary))
    return table(*rows)


def packages_table() -> str:
    """Return the plugins with the names of their components, for the README."""
    rows = [("package", "what it is", "components")]
    for package in plugins():
        named = [f"`{offer.name}`" for offer in package.offers if offer.kind != HOOK_PLUGIN]
        if len(named) > MOST_NAMES:
            more = len(named) - MOST_NAMES
            named = [*named[:MOST_NAMES], f"[and {more} more](docs/reference/components.md)"]
        acts = ["acts on every engine"] * any(o.kind == HOOK_PLUGIN for o in package.offers)
        link = f"[`{package.name}`](plugins/{package.name})"
        rows.append((link, package.description, ", ".join(named + acts)))
    return table(*rows)


class Command(NamedTuple):
    """A command of glowplug's own, as its help shows it.

    Args:
        words: what is typed behind ``glowplug``.
        summary: what it does.
        arguments: its arguments and options with their meanings, by the title they stand under.
    """

    words: tuple[str, ...]
    summary: str
    arguments: dict[str, list[tuple[str, str]]]


def commands(words: tuple[str, ...] = (), does: str = "") -> Iterator[Command]:
    """Yield a command, and those below it, in the order of the help.

    Args:
        words: what is typed behind ``glowplug``.
        does: what the help of the command above says of it.
    """
    below, arguments = [], {}
    for title, rows in help_of(*words).items():
        named = [(name.strip(), meaning) for name, meaning in rows]
        # argparse lists subcommands deeper among the arguments, and ours lists commands last
        deeper = [row for row, (name, _) in zip(named, rows, strict=True) if name[:4].isspace()]
        below += named if title == "commands" else deeper
        arguments[title] = [row for row in named if row not in below and is_shown(row[0], words)]
    yield Command(words, does, arguments)
    for name, meaning in below:
        yield from commands((*words, name), meaning)


def is_shown(name: str, words: tuple[str, ...]) -> bool:
    """Return whether an argument is worth a row: not the help, nor the names of subcommands."""
    stands_for_a_command = name.startswith("{") or (not words and not name.startswith("-"))
    return not stands_for_a_command and "--help" not in name


def help_text(*words: str) -> str:
    """Return what ``glowplug ... --help`` prints, no line broken and no plugin about."""
    command = [sys.executable, "-m", "glowplug", *words, "--help"]
    environment: dict[str, Any] = {**os.environ, "COLUMNS": "1000", "GLOWPLUG_PLUGINS": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def help_of(*words: str) -> dict[str, list[tuple[str, str]]]:
    """Return the rows of a help, name and meaning, by the titles of its sections."""
    blocks = re.findall(r"^(.+):\n((?: +\S.*\n?)+)", help_text(*words), re.MULTILINE)
    return {
        title: re.findall(r"^( +\S+(?: \S+)*)(?: {2,}(.*))?$", rows, re.MULTILINE)
        for title, rows in blocks
    }


def commands_table() -> str:
    """Return every command with its arguments and options."""
    rows = [("command", "argument or option", "meaning")]
    for command in commands():
        rows.append((f"`{' '.join(('glowplug', *command.words))}`", "", command.summary))
        for title, arguments in command.arguments.items():
            if title == "which plugins" and command.words:
                names = ", ".join(f"`{name.split()[0]}`" for name, _ in arguments)
                rows.append(("", names, "[which plugins may act](#which-plugins-may-act)"))
                continue
            rows += [("", f"`{name}`", meaning.replace("|", r"\|")) for name, meaning in arguments]
    return table(*rows)


PAGES = {
    "README.md": ("packages", packages_table),
    "docs/reference/components.md": ("components", components_table),
    "docs/reference/command-line.md": ("commands", commands_table),
}
"""The pages by their paths: the name of the marks, and what is written between them."""


def stale(root: Path = ROOT) -> dict[Path, str]:
    """Return the pages whose table is not what it should be, and what they should hold."""
    found = {}
    for name, (mark, make) in PAGES.items():
        page = (root / name).read_text("utf-8")
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        before, rest = page.split(begin)
        right = f"{before}{begin}\n\n{make()}\n\n{end}{rest.split(end)[1]}"
        if right != page:
            found[root / name] = right
    return found


if __name__ == "__main__":
    for path, text in stale().items():
        path.write_text(text, "utf-8")
        print(f"written anew: {path.relative_to(ROOT)}")
