from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.tensorboard import SummaryWriter

from glowplug import Engine, Events
from glowplug.errors import InvalidType
from glowplug_loggers import BaseLogger, ClosedLogger
from glowplug_tensorboard import OutputHandler, TensorboardLogger

Trainer = Engine[Any, Any]
Scalars = Callable[[], dict[str, list[tuple[int, float]]]]


def test_outputs_are_read_back_at_the_steps_of_their_event(
    logger: Any, trainer: Trainer, scalars: Scalars
) -> None:
    logger.attach_output_handler(
        trainer,
        Events.ITERATION_COMPLETED(every=2),
        tag="training",
        output_transform=lambda output: {"loss": output["loss"]},
    )
    trainer.run([1, 2, 4, 8])
    assert scalars() == {"training/loss": [(2, 0.5), (4, 0.125)]}


def test_metrics_are_read_back_at_the_epoch_of_another_engine(
    logger: Any, trainer: Trainer, scalars: Scalars
) -> None:
    evaluator: Trainer = Engine(lambda engine, batch: None)
    evaluator.state.metrics = {"acc": 0.5, "per_class": torch.tensor([0.25, 0.75])}
    handler = OutputHandler(
        "val", ["acc", "per_class"], global_step_transform=lambda *_: trainer.state.epoch
    )
    logger.attach(evaluator, handler, Events.COMPLETED)
    trainer.on(Events.EPOCH_COMPLETED)(lambda: evaluator.run([0]))
    trainer.run([1], max_epochs=2)
    assert scalars() == {
        "val/acc": [(1, 0.5), (2, 0.5)],
        "val/per_class/0": [(1, 0.25), (2, 0.25)],
        "val/per_class/1": [(1, 0.75), (2, 0.75)],
    }


def test_nan_and_attributes_of_the_state_are_read_back(
    logger: Any, trainer: Trainer, scalars: Scalars
) -> None:
    logger.attach_output_handler(
        trainer,
        Events.COMPLETED,
        tag="x",
        output_transform=lambda output: {"odd": output["odd"]},
        state_attributes=["iteration"],
    )
    trainer.run([1, 2])
    found = scalars()
    assert found["x/iteration"] == [(1, 2.0)]
    assert math.isnan(found["x/odd"][0][1])


def test_learning_rates_are_read_back(logger: Any, trainer: Trainer, scalars: Scalars) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    optimizer.step()
    logger.attach_opt_params_handler(trainer, Events.EPOCH_STARTED, optimizer, tag="gen")
    trainer.on(Events.EPOCH_COMPLETED)(lambda: scheduler.step())
    trainer.run([1], max_epochs=3)
    assert scalars() == {"gen/lr/group_0": [(1, 0.5), (2, 0.25), (3, 0.125)]}


def test_what_the_writer_can_do_the_logger_can(logger: Any, read: Callable[[], Any]) -> None:
    assert isinstance(logger.writer, SummaryWriter)
    logger.add_text("note", "hello", 3)
    logger.writer.add_scalar("x", 1.0, 2)
    files = read()
    assert files.Tags()["tensors"] == ["note/text_summary"]
    assert files.Scalars("x")[0].step == 2


def test_an_attribute_that_neither_has_is_named_with_near_ones(logger: Any) -> None:
    with pytest.raises(AttributeError, match=r"neither TensorboardLogger .* 'add_scaler'; did you"):
        logger.add_scaler("x", 1.0, 2)
    assert not hasattr(logger, "_private")


def test_closing_flushes_and_closing_again_does_nothing(logger: Any, scalars: Scalars) -> None:
    logger.add_scalar("x", 1.0, 2)
    assert scalars() == {"x": [(2, 1.0)]}
    logger.close()


def test_a_closed_logger_says_so_wherever_it_is_used(logger: Any, trainer: Trainer) -> None:
    handler = OutputHandler("x", output_transform=lambda output: 1)
    logger.attach(trainer, handler, Events.COMPLETED)
    logger.close()
    for use in (
        lambda: logger.writer,
        lambda: logger.add_scalar("x", 1, 2),
        lambda: logger.attach(trainer, handler, Events.COMPLETED),
        lambda: trainer.run([1]),
    ):
        with pytest.raises(ClosedLogger, match="this TensorboardLogger is closed"):
            use()


def test_leaving_the_context_closes(folder: Path) -> None:
    with TensorboardLogger(log_dir=folder) as logger:
        assert Path(logger.get_logdir()) == folder
    assert logger.closed


def test_another_rank_makes_no_file_and_attaches_nothing(
    folder: Path, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with TensorboardLogger(folder) as logger:
        logger.attach_output_handler(
            trainer, Events.STARTED, tag="x", output_transform=lambda output: 1
        )
        logger.add_scalar("x", 1.0, 2)
        logger.writer.add_text("note", "hello")
        logger.writer.flush()
        assert logger.get_logdir() == logger.writer.log_dir == folder
    assert not trainer.listens(Events.STARTED)
    assert not folder.exists()


def test_another_rank_finds_wrong_names_and_arguments_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(AttributeError, match="add_scaler"):
        TensorboardLogger(folder).add_scaler("x", 1.0, 2)
    with pytest.raises(TypeError, match="no_such_argument"):
        TensorboardLogger(no_such_argument=1)


def test_a_handler_of_this_logger_is_refused_by_another(trainer: Trainer) -> None:
    class Other(BaseLogger):
        def _create_output_handler(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

        _create_opt_params_handler = _create_output_handler

    with pytest.raises(InvalidType, match=r"works with a TensorboardLogger only.* a Other"):
        Other().attach(trainer, OutputHandler("x", "all"), Events.STARTED)


RANK = """
import sys
from pathlib import Path
import torch
from glowplug import Engine, Events
from glowplug_tensorboard import TensorboardLogger
rank, folder = int(sys.argv[1]), sys.argv[2]
# told no number of ranks, it leaves the file: two that end at once do not fight over it
store = torch.distributed.FileStore(f"{folder}/meeting-point")
torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
trainer = Engine(lambda engine, batch: batch)
with TensorboardLogger(f"{folder}/runs") as logger:
    logger.attach_output_handler(
        trainer, Events.ITERATION_COMPLETED, tag="x", output_transform=lambda output: output
    )
    trainer.run([1, 2])
Path(f"{folder}/done{rank}").touch()
torch.distributed.destroy_process_group()
"""


def test_two_ranks_leave_one_file(tmp_path: Path) -> None:
    (tmp_path / "rank.py").write_text(RANK)
    ranks = [
        subprocess.Popen([sys.executable, tmp_path / "rank.py", str(rank), tmp_path])
        for rank in range(2)
    ]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    assert len(list((tmp_path / "runs").iterdir())) == 1
    assert sorted(path.name for path in tmp_path.glob("done*")) == ["done0", "done1"]
