"""What a scan of the installed distributions finds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glowplug import manifest
from glowplug.components import Component, Kind
from glowplug.manifest import Manifest, Scan

Install = Callable[..., Scan]


def test_a_scan_reads_a_plugin_and_does_not_import_it(installed: Install) -> None:
    (found,) = installed("nan-stop").manifests
    assert (found.name, found.version) == ("nan-stop", "0.1.0")
    assert found.components == (Component(Kind.HANDLER, "nan-stop", "nan_stop:NanStop"),)
    assert "nan_stop" not in sys.modules


def test_the_smallest_plugin_is_nine_lines_of_pyproject_and_imports_neither_of_us() -> None:
    folder = Path(__file__).resolve().parents[1] / "dists" / "nan-stop"
    assert len((folder / "pyproject.toml").read_text("utf-8").splitlines()) <= 9
    code = (folder / "nan_stop.py").read_text("utf-8")
    imported = [
        line.split()[1] for line in code.splitlines() if line.startswith(("import", "from"))
    ]
    assert imported == ["math", "typing"]


def test_a_name_is_normalised_as_pep_503_says(installed: Install) -> None:
    (found,) = installed("acme-hooks").manifests
    assert found.name == "acme-hooks"


def test_plugins_are_sorted_by_name_wherever_they_lie_on_the_path(installed: Install) -> None:
    found = installed("umbrella-timer", "nan-stop", "acme-timer").manifests
    assert [plugin.name for plugin in found] == ["acme-timer", "nan-stop", "umbrella-timer"]


def test_distributions_without_entry_points_of_ours_are_no_plugins() -> None:
    names = {plugin.name for plugin in manifest.scan().manifests}
    assert not names & {"pytest", "pluggy", "glowplug", "hatchling"}


def test_one_malformed_file_breaks_that_distribution_alone(installed: Install) -> None:
    broken, whole = installed("nan-stop", "broken-malformed").manifests
    assert (broken.name, broken.version) == ("broken-malformed", "0.1.0")
    assert broken.error
    assert whole.components


@pytest.mark.parametrize(
    "text",
    [
        b"handler = a:b",
        b"[glowplug.handlers\nx = a:b",
        b"[glowplug.handlers]\nx = not a target!",
        b"[glowplug.handlers]\nx = module_without_attribute",
        b"[glowplug.handlers]\na:b = c:d",
        b"[glowplug]\nhooks = 1 + 1",
        b"\xff\xfe",
    ],
)
def test_a_malformed_file_is_an_error_of_its_distribution(tmp_path: Path, text: bytes) -> None:
    folder = _distribution(tmp_path)
    (folder / "entry_points.txt").write_bytes(text)
    (found,) = manifest.scan([str(tmp_path)]).manifests
    assert (found.name, bool(found.error), found.components) == ("acme", True, ())


def test_metadata_that_is_missing_is_an_error_of_its_distribution(tmp_path: Path) -> None:
    folder = _distribution(tmp_path)
    (folder / "METADATA").unlink()
    (folder / "entry_points.txt").write_text("[glowplug.handlers]\nx = a:b\n")
    (found,) = manifest.scan([str(tmp_path)]).manifests
    assert found.name == "acme"


def test_comments_and_other_groups_are_passed_over(tmp_path: Path) -> None:
    text = "# made by hand\n\n[console_scripts]\nglowplug = a:b\n[glowplugs]\nx = 1\n"
    (_distribution(tmp_path) / "entry_points.txt").write_text(text)
    assert manifest.scan([str(tmp_path)]) == Scan()


def test_what_an_interrupted_pip_left_behind_is_ignored_and_noted(installed: Install) -> None:
    scan = installed("broken-leftover", "nan-stop")
    assert [plugin.name for plugin in scan.manifests] == ["nan-stop"]
    (leftover,) = scan.leftovers
    assert Path(leftover).name == "~roken_leftover-0.1.0.dist-info"


def test_of_a_distribution_that_is_installed_twice_the_first_wins(installed: Install) -> None:
    (found,) = installed("broken-twin-2", "broken-twin-1").manifests
    assert found.version == "2.0"
    assert [twin.version for twin in found.twins] == ["1.0"]


def test_a_folder_that_is_on_the_path_twice_makes_no_twin(
    installed: Install, tmp_path: Path
) -> None:
    scan = installed("nan-stop")
    folder = Path(scan.manifests[0].metadata).parent
    link = tmp_path / "link"
    link.symlink_to(folder)
    (found,) = manifest.scan([str(folder), str(folder), str(link)]).manifests
    assert found.twins == ()


def test_a_group_that_only_looks_like_ours_is_noted_with_the_near_one(installed: Install) -> None:
    (found,) = installed("broken-groups").manifests
    (note,) = found.unknown_groups
    assert note == "'glowplug.handlrs'; did you mean 'glowplug.handlers'?"


def test_the_location_of_an_editable_installation_is_its_source(tmp_path: Path) -> None:
    folder = _distribution(tmp_path)
    (folder / "direct_url.json").write_text(
        '{"url": "file:///home/me/my%20plugin", "dir_info": {"editable": true}}'
    )
    found = Manifest("acme", "1.0", metadata=str(folder))
    assert found.location == "/home/me/my plugin (editable)"


def test_the_location_of_an_installed_wheel_is_the_folder_it_is_in(installed: Install) -> None:
    (found,) = installed("nan-stop").manifests
    assert (Path(found.location) / "nan_stop.py").exists()


@pytest.mark.usefixtures("fresh_process")
def test_the_scan_of_the_process_is_made_once() -> None:
    first = manifest.installed()
    assert manifest.installed() is first
    manifest.forget()
    assert manifest.installed() is not first


def test_importing_glowplug_scans_nothing(python: Callable[..., str]) -> None:
    code = "import sys, glowplug; from glowplug import manifest; print(manifest._installed)"
    code += "; print([m for m in sys.modules if m in ('importlib_metadata', 'importlib.metadata')])"
    assert python(code).split("\n")[:2] == ["None", "[]"]


def _distribution(site: Path) -> Path:
    folder = site / "acme-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    return folder
