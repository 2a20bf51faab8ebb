"""The company's plugin of docs/examples, built, installed and used.

Owns: that the wheel of acme-audit writes down every run of every engine of a process, and that each
switch keeps it from doing so.
Must not know: what the lines hold in detail, which the plugin's own tests say.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples" / "company-plugin"
RUN = """
from glowplug import Engine
Engine(lambda engine, batch: batch).run([1, 2, 4], max_epochs=2)
"""
RUNS_OF_ONE_OF_MANY_PROCESSES = """
import sys
from glowplug import Engine
engine = Engine(lambda engine, batch: batch)
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.readline()
for _ in range(200):
    engine.run([1])
"""


@dataclass
class Site:
    """A folder that the wheel is installed in, and the log of a test.

    Args:
        path: the folder.
        log: the file that the audit writes to.
    """

    path: Path
    log: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a process that sees the plugin."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GLOWPLUG", "ACME"))}
        return {**kept, "PYTHONPATH": str(self.path), "ACME_AUDIT_LOG": str(self.log), **more}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run Python, warnings being errors, and return what it printed."""
        return subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            env=self.environment(**more),
            cwd=self.log.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    def lines(self, code: str = RUN, **more: str) -> list[dict[str, Any]]:
        """Run code that must go well, and return the lines of the log."""
        done = self.run("-c", textwrap.dedent(code), **more)
        assert (done.returncode, done.stderr) == (0, "")
        text = self.log.read_text("utf-8") if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out))
    subprocess.run(command, cwd=FOLDER, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel as pip installs it."""
    folder = tmp_path_factory.mktemp("site")
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(folder))
    subprocess.run([sys.executable, *pip, str(wheel)], check=True)
    return folder


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> Site:
    """The installed plugin, with a log of this test's own."""
    return Site(installed, tmp_path / "runs.jsonl")


def ends(lines: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Return how runs ended and how far they had come."""
    return [(x["what"], x["epochs"], x["iterations"]) for x in lines if x["what"] != "began"]


def test_the_wheel_holds_the_package_and_its_marker_of_types(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {"acme_audit", "acme_audit-0.1.0.dist-info"}
    assert {"acme_audit/hooks.py", "acme_audit/py.typed"} <= names


def test_a_program_that_knows_nothing_of_the_plugin_is_audited(site: Site) -> None:
    began, ended = site.lines()
    assert (began["what"], began["step"], began["max_epochs"]) == ("began", "__main__.<lambda>", 2)
    assert began["plugins"]["acme-audit"] == "0.1.0"
    assert (ended["what"], ended["epochs"], ended["iterations"]) == ("completed", 2, 6)
    assert began["run"] == ended["run"]


def test_an_engine_within_another_is_audited_as_well(site: Site) -> None:
    code = """
        from glowplug import Engine, Events
        validator = Engine(lambda engine, batch: batch)
        trainer = Engine(lambda engine, batch: batch)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: validator.run([1, 2]))
        trainer.run([1], max_epochs=2)
    """
    assert ends(site.lines(code)) == [("completed", 1, 2), ("completed", 1, 2), ("completed", 2, 2)]


def test_a_run_that_ends_early_says_so(site: Site) -> None:
    code = """
        from glowplug import Engine, Events
        engine = Engine(lambda engine, batch: batch)
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), engine.terminate)
        engine.run([1, 2, 4])
    """
    assert ends(site.lines(code)) == [("terminated", 1, 2)]


def test_a_run_that_fails_is_in_the_log_and_fails_as_before(site: Site) -> None:
    code = "from glowplug import Engine; Engine(lambda engine, batch: 1 / batch).run([1, 0])"
    done = site.run("-c", code)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    ended = json.loads(site.log.read_text("utf-8").splitlines()[-1])
    assert (ended["what"], ended["error"]) == ("error", "ZeroDivisionError")


def test_a_run_that_is_stopped_from_the_keyboard_is_in_the_log(site: Site) -> None:
    code = """
        import signal
        from glowplug import Engine
        step = lambda engine, batch: signal.raise_signal(signal.SIGINT)
        try:
            Engine(step).run([1, 2])
        except KeyboardInterrupt:
            pass
    """
    assert site.lines(code)[-1]["error"] == "KeyboardInterrupt"


def test_a_run_that_is_killed_has_begun_and_not_ended(site: Site) -> None:
    site.run(
        "-c", "import os; from glowplug import Engine; Engine(lambda e, b: os._exit(9)).run([1])"
    )
    (line,) = site.log.read_text("utf-8").splitlines()
    assert json.loads(line)["what"] == "began"


@pytest.mark.parametrize(
    ("variable", "value"), [("GLOWPLUG_DISABLE_PLUGINS", "acme-audit"), ("GLOWPLUG_PLUGINS", "")]
)
def test_a_variable_switches_it_off(site: Site, variable: str, value: str) -> None:
    assert site.lines(**{variable: value}) == []


def test_a_plugin_that_is_switched_off_is_not_even_imported(site: Site) -> None:
    code = f"{RUN}\nimport sys; assert 'acme_audit' not in sys.modules, 'imported'"
    assert site.lines(code, GLOWPLUG_DISABLE_PLUGINS="acme-audit") == []


def test_an_argument_of_the_manager_switches_it_off(site: Site) -> None:
    code = """
        from glowplug import Engine, PluginManager
        manager = PluginManager(disable=["acme-audit"])
        for _ in range(2):
            Engine(lambda engine, batch: batch, plugins=manager).run([1])
    """
    assert site.lines(code) == []


def test_one_engine_goes_without_it_and_the_next_is_audited(site: Site) -> None:
    code = """
        from glowplug import Engine, PluginManager
        step = lambda engine, batch: batch
        Engine(step, plugins=PluginManager(disable=["acme-audit"])).run([1])
        Engine(step).run([1, 2])
    """
    assert ends(site.lines(code)) == [("completed", 1, 2)]


def test_the_list_of_plugins_shows_it_and_who_switched_it_off(site: Site) -> None:
    shown = site.run("-m", "glowplug", "plugins", "list", GLOWPLUG_DISABLE_PLUGINS="acme-audit")
    assert "acme-audit 0.1.0 (off: GLOWPLUG_DISABLE_PLUGINS)" in shown.stdout


def test_a_log_that_cannot_be_written_is_said_once_and_the_program_goes_on(site: Site) -> None:
    site.log.mkdir()
    done = site.run("-c", f"for _ in range(3):\n{textwrap.indent(RUN, '    ')}\nprint('done')")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert re.fullmatch(
        r"runs are missing from .*\(IsADirectoryError.*training goes on\n", done.stderr
    )


def test_without_the_variable_the_log_is_in_the_users_folder(site: Site, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert site.lines(ACME_AUDIT_LOG="", XDG_STATE_HOME=str(state)) == []
    assert len((state / "acme-audit" / "runs.jsonl").read_text("utf-8").splitlines()) == 2


def writer(site: Site, rank: str) -> subprocess.Popen[str]:
    """Start a process that writes many lines once it is told to go."""
    return subprocess.Popen(
        [sys.executable, "-c", RUNS_OF_ONE_OF_MANY_PROCESSES],
        env=site.environment(RANK=rank),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_write_at_once_leave_whole_lines(site: Site) -> None:
    ranks = [writer(site, rank) for rank in ("0", "1")]
    for process in ranks:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in ranks:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate() and process.returncode for process in ranks] == [0, 0]
    lines = [json.loads(line) for line in site.log.read_text("utf-8").splitlines()]
    assert [sum(line["rank"] == rank for line in lines) for rank in ("0", "1")] == [400, 400]


def test_glowplug_finds_nothing_wrong_with_it(site: Site) -> None:
    done = site.run("-m", "glowplug", "plugins", "check", "acme-audit")
    assert (done.stdout, done.stderr) == ("acme-audit 0.1.0: ok (1)\n", "")


def test_its_own_tests_pass(site: Site) -> None:
    options = ("-p", "no:cacheprovider", "-q", "-o", "addopts=", "--rootdir", str(FOLDER))
    done = site.run(
        *("-m", "pytest", *options, "-c", str(FOLDER / "pyproject.toml"), str(FOLDER / "tests")),
        PYTHONDONTWRITEBYTECODE="1",
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 20


def test_the_program_of_its_readme_runs(site: Site) -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    assert len(site.lines("\n".join(blocks))) == 2
