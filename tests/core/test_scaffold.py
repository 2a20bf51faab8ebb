"""A new package, as it is written.

Owns: what a package holds, what is refused before anything is written, and that it is all or none.
Must not know: which names are fit, or whether the package works once it is installed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from glowplug import Kind, __version__
from glowplug.errors import CannotWrite, InvalidArgument
from glowplug.scaffold import blueprints, package

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it there

KINDS = list(blueprints.BLUEPRINTS)


def contents(folder: Path) -> dict[str, str]:
    """Return the files under a folder, with what they hold."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in files}


def test_there_is_a_kind_for_everything_a_plugin_can_offer_but_commands() -> None:
    offered = {kind.value for kind in Kind} - {Kind.COMMAND.value}
    assert {*KINDS} == {*offered, "hooks"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_holds_all_that_one_needs(kind: str, tmp_path: Path) -> None:
    made = package.new("acme-x1", kind, tmp_path)
    assert set(made.files) == set(contents(tmp_path / "acme-x1"))
    assert set(made.files) == {
        ".github/workflows/ci.yml",
        ".gitignore",
        "CHANGELOG.md",
        "README.md",
        "pyproject.toml",
        "src/acme_x1/__init__.py",
        f"src/acme_x1/{kind}.py",
        "src/acme_x1/py.typed",
        "tests/conftest.py",
        f"tests/test_{kind}.py",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_be_filled_in(kind: str, tmp_path: Path) -> None:
    package.new("acme-x1", kind, tmp_path)
    for path, text in contents(tmp_path).items():
        assert "${" not in text.replace("${{ matrix.python }}", ""), path
        assert "\r" not in text
        assert text.endswith("\n") or not text


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_a_package_imports_neither_torch_nor_another_plugin(
    kind: str, tmp_path: Path
) -> None:
    package.new("acme-x1", kind, tmp_path)
    trees = [ast.parse(t) for path, t in contents(tmp_path).items() if path.endswith(".py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)]
    names += [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    foreign = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert foreign <= {"acme_x1", "glowplug", "pytest"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_project_declares_its_component_and_what_it_needs(kind: str, tmp_path: Path) -> None:
    package.new("acme-x1", kind, tmp_path)
    text = (tmp_path / "acme-x1" / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    group = "glowplug" if kind == "hooks" else Kind.of(kind).group
    assert list(project["entry-points"]) == [group]
    assert list(project["entry-points"][group]) == ["acme-x1"]
    assert project["dependencies"] == [f"glowplug>={__version__.rpartition('.')[0]}"]


def test_without_a_holder_there_is_no_licence_and_the_readme_says_so(tmp_path: Path) -> None:
    package.new("acme-x1", "handler", tmp_path)
    files = contents(tmp_path / "acme-x1")
    assert "LICENSE" not in files
    assert "license" not in files["pyproject.toml"]
    assert "nobody else may use this yet: add a `LICENSE`" in files["README.md"]


def test_a_holder_puts_the_package_under_the_mit_licence(tmp_path: Path) -> None:
    holder = 'Zoë "Z" \\ Sons'
    package.new("acme-x1", "handler", tmp_path, f" {holder} ")
    files = contents(tmp_path / "acme-x1")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert files["LICENSE"].splitlines()[2] == f"Copyright (c) {date.today().year} {holder}"
    assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    assert project["authors"] == [{"name": holder}]


@pytest.mark.parametrize("holder", ["", "  ", "one\ntwo", "\x00"])
def test_a_holder_without_a_name_is_refused(holder: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="expected the name of who holds the copyright"):
        package.new("acme-x1", "handler", tmp_path, holder)
    assert contents(tmp_path) == {}


def test_an_unknown_kind_is_refused_with_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="got 'handlr'; did you mean 'handler'"):
        package.new("acme-x1", "handlr", tmp_path)


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [("engine", "handler", "Engine"), ("lines", "logger", "lines"), ("recorder", "events", "Rec")],
)
def test_a_name_that_the_example_uses_for_something_else_is_refused(
    name: str, kind: str, word: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match=f"would have two things called {word}"):
        package.new(name, kind, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    made = package.new("Acme.X1", "handler", tmp_path / "a" / "b")
    assert made.folder == tmp_path / "a" / "b" / "acme-x1"
    assert (made.folder / "pyproject.toml").is_file()


def test_an_empty_folder_of_its_name_is_taken(tmp_path: Path) -> None:
    (tmp_path / "acme-x1").mkdir()
    assert package.new("acme-x1", "handler", tmp_path).folder.joinpath("README.md").is_file()


def test_the_folder_is_as_open_to_others_as_any_that_the_user_makes(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    made = package.new("acme-x1", "handler", tmp_path)
    assert made.folder.stat().st_mode == (tmp_path / "mine").stat().st_mode


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "acme-x1").mkdir()
    (tmp_path / "acme-x1" / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(CannotWrite, match="acme-x1 is there already and not empty; nothing is ove"):
        package.new("acme-x1", "handler", tmp_path)
    assert contents(tmp_path) == {"acme-x1/README.md": "mine"}


@pytest.mark.parametrize("lay", [Path.touch, lambda path: path.symlink_to(path.parent)])
def test_a_file_or_a_link_of_its_name_is_left_as_it_is(
    lay: Callable[[Path], None], tmp_path: Path
) -> None:
    lay(tmp_path / "acme-x1")
    with pytest.raises(CannotWrite, match="acme-x1 is there already and is no folder"):
        package.new("acme-x1", "handler", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["acme-x1"]


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match=r"cannot write .*Not a directory; nothing was left"):
        package.new("acme-x1", "handler", tmp_path / "file" / "below")


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    name = f"acme-{'x' * 300}"  # longer than the name of a folder may be
    with pytest.raises(CannotWrite, match=r"File name too long; nothing was left there"):
        package.new(name, "handler", tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing_behind(
    python: Callable[..., str], tmp_path: Path
) -> None:
    code = (
        "import resource; from pathlib import Path\n"
        "from glowplug import errors; from glowplug.scaffold import package\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"try: package.new('acme-x1', 'handler', Path({str(tmp_path)!r}) / 'new')\n"
        "except errors.CannotWrite as error: print(error)"
    )
    assert "File too large; nothing was left there" in python(code, PYTHONDONTWRITEBYTECODE="1")
    assert list(tmp_path.iterdir()) == []
