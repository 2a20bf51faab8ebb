"""The command line where nothing is installed but the core and one new package.

Owns: what the commands say there, and that they need nothing else.
Must not know: what the package does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Type = Callable[..., str]


@pytest.fixture(scope="module")
def type_in(
    make_environment: Callable[..., Any],
    build_wheel: Callable[[Path, Path], Path],
    own_wheels: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Type:
    """A function that types a command of glowplug's in that environment, for its output."""
    home, alone = tmp_path_factory.mktemp("home"), make_environment([own_wheels[0]])

    def run(*arguments: str) -> str:
        done = alone.run("glowplug", *arguments, cwd=home)
        assert (done.returncode, done.stderr) == (0, "")
        return str(done.stdout)

    run("plugins", "new", "acme-metric", "--kind", "metric")
    alone.install([str(build_wheel(home / "acme-metric", home))])
    return run


def test_list_shows_the_package_and_its_component(type_in: Type) -> None:
    assert type_in("plugins", "list") == "acme-metric 0.1.0\n  metric     acme-metric\n"


def test_show_says_what_it_is_and_where_it_is(type_in: Type) -> None:
    words = type_in("plugins", "show", "acme-metric").split()
    assert {"active", "acme_metric:AcmeMetric", "Computes", "predictions"} <= set(words)


def test_check_finds_nothing_wrong(type_in: Type) -> None:
    assert type_in("plugins", "check") == "acme-metric 0.1.0: ok (1)\n"


def test_doctor_finds_nothing_wrong(type_in: Type) -> None:
    lines = [line.split() for line in type_in("doctor").splitlines()]
    assert ["plugin", "acme-metric", "0.1.0", "(active)"] in lines
