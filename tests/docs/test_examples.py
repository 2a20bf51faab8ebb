"""The example programs, run as a newcomer runs them.

Owns: that docs/examples/digits.py learns, logs, and says what to install where a plugin is missing.
Must not know: how the plugins that it uses do their work.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]  # it has no types
    EventAccumulator,
)

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "docs" / "examples" / "digits.py"
README = (ROOT / "README.md").read_text(encoding="utf-8")
EPOCHS = 6


def run(
    *arguments: str | Path, columns: int = 80, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, on one thread since other tests run beside it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": str(columns)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=cwd, check=False
    )


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for the logs of the one run that these tests look at."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def finished(logs: Path) -> subprocess.CompletedProcess[str]:
    """A run of the program."""
    return run(DIGITS, "--epochs", str(EPOCHS), "--logdir", logs)


@pytest.fixture(scope="module")
def events(finished: subprocess.CompletedProcess[str], logs: Path) -> EventAccumulator:
    """What TensorBoard reads of that run."""
    return EventAccumulator(str(logs), size_guidance={"histograms": 0, "scalars": 0}).Reload()


def test_the_network_reads_more_than_97_percent_of_the_held_out_digits(
    finished: subprocess.CompletedProcess[str],
) -> None:
    assert finished.returncode == 0, finished.stderr
    (accuracy,) = re.findall(r"^held-out accuracy ([\d.]+)%", finished.stdout, re.MULTILINE)
    assert float(accuracy) > 97


def test_the_last_line_says_where_the_logs_are(
    finished: subprocess.CompletedProcess[str], logs: Path
) -> None:
    assert f"logs in {logs}" in finished.stdout.splitlines()[-1]


def test_the_progress_bar_shows_the_running_loss_of_every_epoch(
    finished: subprocess.CompletedProcess[str],
) -> None:
    for epoch in range(1, EPOCHS + 1):
        assert re.search(rf"Epoch \[{epoch}/{EPOCHS}\][^\r\n]*100%[^\r\n]*loss=\d", finished.stderr)


def test_each_epoch_leaves_the_held_out_accuracy_for_tensorboard(events: EventAccumulator) -> None:
    scalars = events.Scalars("validation/accuracy")
    assert [scalar.step for scalar in scalars] == list(range(1, EPOCHS + 1))
    assert scalars[-1].value > 0.97


def test_tensorboard_sees_the_training_loss_fall(events: EventAccumulator) -> None:
    losses = [scalar.value for scalar in events.Scalars("training/loss")]
    assert sum(losses[-10:]) < sum(losses[:10]) / 5


def test_tensorboard_sees_a_histogram_of_weights_for_each_epoch(events: EventAccumulator) -> None:
    (first_layer,) = [tag for tag in events.Tags()["histograms"] if re.search(r"\b0.weight$", tag)]
    steps = [histogram.step for histogram in events.Histograms(first_layer)]
    assert steps == list(range(1, EPOCHS + 1))


def held_out(text: str) -> list[str]:
    """Return the lines on the held-out accuracy."""
    return re.findall(r"held out: .*", text)


def test_the_best_network_and_the_last_state_are_kept(
    finished: subprocess.CompletedProcess[str], logs: Path
) -> None:
    accuracies = [float(line.split("%")[0].split()[-1]) for line in held_out(finished.stdout)]
    epoch = accuracies.index(max(accuracies)) + 1
    kept = sorted(path.name for path in (logs / "checkpoints").glob("*.pt"))
    assert kept == [
        f"best_model_{epoch}_accuracy={max(accuracies) / 100:.4f}.pt",
        f"last_checkpoint_{45 * EPOCHS}.pt",
    ]


def test_a_run_ends_early_when_the_accuracy_no_longer_rises(tmp_path: Path) -> None:
    ended = run(DIGITS, "--batch-size", "256", "--epochs", "200", "--logdir", tmp_path)
    accuracies = [float(line.split("%")[0].split()[-1]) for line in held_out(ended.stdout)]
    best = accuracies.index(max(accuracies))
    assert len(accuracies) == best + 1 + 4 < 200


def test_a_run_that_is_interrupted_goes_on_as_if_it_had_not_been(
    finished: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    command = [sys.executable, "-u", str(DIGITS), "--epochs", str(EPOCHS)]
    started = subprocess.Popen(
        [*command, "--logdir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with started:
        assert started.stdout is not None
        assert started.stderr is not None
        first = next(line for line in started.stdout if "held out:" in line)
        started.send_signal(signal.SIGINT)  # what Ctrl-C sends
        said = started.stderr.read()
    assert started.returncode == 130, said
    assert f"go on by: python {DIGITS} --resume {tmp_path}" in said
    resumed = run(DIGITS, "--epochs", str(EPOCHS), "--resume", tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    seen = held_out(first) + held_out(resumed.stdout)
    assert seen == held_out(finished.stdout), "each epoch once, with the same numbers"


def readme_block(name: str) -> str:
    """Return what the README shows of the program's output."""
    (shown,) = re.findall(rf"<!-- {name} -->\n+```text\n(.*?)```", README, re.DOTALL)
    return str(shown)


def timeless(text: str) -> str:
    """Return a description without its times, which differ from run to run."""
    return re.sub(r" +[\d.]+ (s|ms|µs|ns)\b| +[\d.]+%", "", text)


def test_the_readme_shows_what_is_described(tmp_path: Path) -> None:
    described = run(DIGITS, "--describe", "--logdir", tmp_path, columns=118, cwd=ROOT)
    assert timeless(readme_block("describe")) in timeless(described.stdout)
    assert "held-out accuracy" in described.stdout


def test_the_readme_shows_what_is_explained(tmp_path: Path) -> None:
    explained = run(DIGITS, "--explain", "--logdir", tmp_path, columns=118, cwd=ROOT)
    assert readme_block("explain") in explained.stdout
    assert "accuracy" not in explained.stdout


@pytest.fixture
def without_tensorboard(tmp_path: Path) -> Path:
    """All that is installed here except glowplug-tensorboard, as a folder of packages."""
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(folder).iterdir():
            if "glowplug_tensorboard" not in entry.name:
                (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def test_without_the_tensorboard_plugin_the_error_names_the_package_to_install(
    without_tensorboard: Path,
) -> None:
    start = (
        "import runpy, site, sys; site.addsitedir(sys.argv[1]);"
        " runpy.run_path(sys.argv[2], run_name='__main__')"
    )
    refused = run("-S", "-c", start, without_tensorboard, DIGITS)
    assert refused.returncode == 1
    assert re.search(
        "'tensorboard-logger'.* pip install glowplug-tensorboard$", refused.stderr.splitlines()[-1]
    )
