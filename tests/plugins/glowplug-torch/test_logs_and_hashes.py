"""Setting up loggers, and naming checkpoints by their hash."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from glowplug_torch import hash_checkpoint, setup_logger

NAME = "glowplug-tests.setup"


@pytest.fixture(autouse=True)
def _clean_logger() -> Iterator[None]:
    yield
    logger = logging.getLogger(NAME)
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


def test_a_logger_writes_to_its_stream_and_no_further(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()
    setup_logger(NAME, stream=stream).info("epoch %s", 3)
    assert stream.getvalue().endswith(f"{NAME} INFO: epoch 3\n")
    assert not caplog.records


def test_records_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    setup_logger(NAME, level=logging.WARNING, stream=stream).info("quiet")
    assert stream.getvalue() == ""


def test_the_default_stream_is_the_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logger(NAME).info("here")
    assert "here" in capsys.readouterr().err


def test_a_file_is_written_as_well(tmp_path: Path) -> None:
    stream, path = io.StringIO(), tmp_path / "run.log"
    setup_logger(NAME, stream=stream, filepath=path, format="%(message)s").info("größer")
    assert path.read_text(encoding="utf-8") == stream.getvalue() == "größer\n"


def test_ranks_above_the_first_write_nothing(tmp_path: Path) -> None:
    stream, path = io.StringIO(), tmp_path / "run.log"
    setup_logger(NAME, stream=stream, filepath=path, distributed_rank=1).error("unheard")
    assert stream.getvalue() == ""
    assert not path.exists()


def test_a_second_call_changes_nothing() -> None:
    first, second = io.StringIO(), io.StringIO()
    setup_logger(NAME, stream=first)
    setup_logger(NAME, stream=second, level=logging.ERROR).info("once")
    assert first.getvalue().count("once") == 1
    assert second.getvalue() == ""


def test_reset_replaces_handlers_level_and_format() -> None:
    first, second = io.StringIO(), io.StringIO()
    setup_logger(NAME, stream=first)
    setup_logger(NAME, stream=second, format="%(message)s!", reset=True).info("new")
    assert (first.getvalue(), second.getvalue()) == ("", "new!\n")


def test_a_file_that_cannot_be_opened_leaves_the_logger_as_it_was(tmp_path: Path) -> None:
    stream = io.StringIO()
    logger = setup_logger(NAME, stream=stream, format="%(message)s")
    with pytest.raises(OSError, match="missing"):
        setup_logger(NAME, filepath=tmp_path / "missing" / "run.log", reset=True)
    logger.info("still here")
    assert stream.getvalue() == "still here\n"


def test_a_logger_known_by_name_alone_is_set_up() -> None:
    logging.getLogger(NAME)
    stream = io.StringIO()
    setup_logger(NAME, stream=stream).info("heard")
    assert "heard" in stream.getvalue()


def test_a_hashed_name_ends_in_the_digits_of_the_sha256(tmp_path: Path) -> None:
    source = tmp_path / "best.pt"
    torch.save({"weight": torch.ones(2)}, source)
    path, digest = hash_checkpoint(source, tmp_path / "public" / "models")
    assert digest == hashlib.sha256(source.read_bytes()).hexdigest()
    assert path == tmp_path / "public" / "models" / f"best-{digest[:8]}.pt"
    assert torch.load(path, weights_only=True)["weight"].sum() == 2


def test_only_the_last_suffix_follows_the_hash(tmp_path: Path) -> None:
    (tmp_path / "best.v2.pth").write_bytes(b"x")
    path, digest = hash_checkpoint(tmp_path / "best.v2.pth", tmp_path)
    assert path.name == f"best.v2-{digest[:8]}.pth"


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkpoint file at .*gone\.pt"):
        hash_checkpoint(tmp_path / "gone.pt", tmp_path)
