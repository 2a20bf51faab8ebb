"""What `glowplug plugins new` makes, used as its author would.

Owns: that each package is built, tested, typed, checked and used without a change to it.
Must not know: what is in the packages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile


def test_the_wheel_holds_the_package_with_its_marker_of_types(project: Any) -> None:
    package = project.name.replace("-", "_")
    with ZipFile(project.wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {package, f"{package}-0.1.0.dist-info"}
    assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names


def test_its_tests_pass(project: Any) -> None:
    done = project.run("python", "-m", "pytest", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 10


def test_its_types_are_strict(project: Any, tmp_path_factory: Any) -> None:
    cache = tmp_path_factory.getbasetemp() / "mypy"  # one for all, as most of it is glowplug's
    done = project.run("python", "-m", "mypy", "--cache-dir", str(cache))
    assert done.returncode == 0, done.stdout
    assert re.fullmatch(r"Success: no issues found in \d source files\n", done.stdout)


def test_its_style_is_that_of_ruff(project: Any) -> None:
    for check in (("check",), ("format", "--check")):
        done = project.run("python", "-m", "ruff", *check, "--no-cache")
        assert done.returncode == 0, done.stdout


def test_a_long_name_breaks_no_rule_of_style(environment: Any, tmp_path: Path) -> None:
    for length in (12, 24, 48):
        name = f"acme-{'o' * length}"
        for kind in ("handler", "trainer", "events"):
            options = ("--kind", kind, "--dir", kind)
            environment.run("glowplug", "plugins", "new", name, *options, cwd=tmp_path)
    done = environment.run("python", "-m", "ruff", "check", "--no-cache", cwd=tmp_path)
    assert (done.stdout, len(list(tmp_path.glob("*/*/README.md")))) == ("All checks passed!\n", 9)


def test_glowplug_finds_nothing_wrong_with_it(project: Any) -> None:
    done = project.run("glowplug", "plugins", "check", project.name)
    assert (done.stdout, done.stderr) == (f"{project.name} 0.1.0: ok (1)\n", "")


def test_the_ten_lines_of_its_readme_run(project: Any, tmp_path: Path) -> None:
    text = (project.folder / "README.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 10
    done = project.environment.run("python", "-W", "error", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_its_workflow_runs_what_its_readme_says(project: Any) -> None:
    readme = (project.folder / "README.md").read_text("utf-8")
    workflow = (project.folder / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^ +- run: (.*)$", workflow, re.MULTILINE) == blocks[-1].splitlines()


def test_all_of_them_live_in_one_environment_with_glowplugs_own(
    projects: dict[str, Any], environment: Any, tmp_path: Path
) -> None:
    done = environment.run("glowplug", "plugins", "check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    checked = {line.split()[0] for line in done.stdout.splitlines() if ": ok (" in line}
    assert checked == {project.name for project in projects.values()} | {"glowplug-tqdm"}


def test_none_of_them_brings_torch(
    projects: dict[str, Any], environment: Any, tmp_path: Path
) -> None:
    done = environment.run("python", "-c", "import torch", cwd=tmp_path)
    assert "No module named 'torch'" in done.stderr


def test_the_components_work_by_their_names_on_one_engine(
    projects: dict[str, Any], environment: Any, tmp_path: Path
) -> None:
    code = (
        "from glowplug import Engine\n"
        "engine = Engine(lambda engine, batch: batch, handlers=['acme-handler', 'acme-logger'],\n"
        "    events=['acme-events'])\n"
        "print(engine.run([1.0, 2.0, float('nan')], epoch_length=2, max_epochs=2).iteration)"
    )
    done = environment.run("python", "-c", code, cwd=tmp_path)
    assert done.stdout == "3\n", done.stderr
    assert len((tmp_path / "acme-logger.jsonl").read_text("utf-8").splitlines()) == 1
