"""The learning-rate range test.

Owns: what users ask of it, and what they are told.
Must not know: how the trainer is run, or how anything is kept and put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar

from glowplug.errors import InvalidArgument
from glowplug_handlers.arguments import as_it_is, checked_engine, checked_function
from glowplug_handlers.attachment import AnyEngine
from glowplug_handlers.lr_finder_arguments import checked_objects, groups_of, has_state
from glowplug_handlers.lr_finder_curve import RangeTestFailed, Settings
from glowplug_handlers.lr_finder_engine import RangeTest, attributes_of, set_rates, unchanged
from glowplug_handlers.lr_finder_plot import checked_skip, draw
from glowplug_handlers.lr_finder_snapshot import Folder, kept


class FastaiLRFinder:
    r"""Finds a learning rate by a short run in which it grows until the loss diverges.

    In iteration i of n, counted from 0, the rate of a group is

    .. math:: \eta_i = \eta_0 \left(\frac{\eta_{n-1}}{\eta_0}\right)^{i / (n-1)}
        \quad\text{or}\quad \eta_i = \eta_0 + \frac{i}{n-1} (\eta_{n-1} - \eta_0)

    with ``step_mode`` ``"exp"`` or ``"linear"``. The losses are smoothed as
    :math:`s_i = f l_i + (1 - f) s_{i-1}`, and the test ends when :math:`s_i` is more than
    ``diverge_th`` times the smallest, or a loss is not finite. The rate to take is suggested where
    the loss falls fastest.

    Afterwards everything is as it was, also when an error ended the test: the objects in
    ``to_save``, the models' gradients and training modes, the trainer's state and its scaler, and
    the random numbers, so that a run after the test is the run that there would have been without
    it. What else is attached to the trainer runs along: attach loggers and checkpoints after the
    test.

    Each loss is brought to the CPU. In several processes they are averaged, so that all end
    together.

    Source:
        L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3;
        the smoothing and the stop as in the fastai library.

    Example:
        >>> import torch
        >>> from glowplug import Engine
        >>> _ = torch.manual_seed(0)
        >>> model = torch.nn.Linear(4, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
        >>> def step(engine, batch):
        ...     optimizer.zero_grad()
        ...     loss = (model(batch) - batch.sum(1, keepdim=True)).square().mean()
        ...     loss.backward()
        ...     optimizer.step()
        ...     return loss
        >>> trainer, finder = Engine(step), FastaiLRFinder()
        >>> data = [torch.randn(8, 4) for _ in range(60)]
        >>> with finder.attach(trainer, {"model": model, "optimizer": optimizer}) as test:
        ...     _ = test.run(data)
        >>> 1e-3 < finder.lr_suggestion() < 1.0
        True
        >>> finder.apply_suggested_lr(optimizer)
    """

    _hint: ClassVar[str] = "with lr_finder.attach(trainer, to_save=...) as test: test.run(data)"

    def __init__(self) -> None:
        self._test: RangeTest | None = None
        self._busy = False

    def attach(
        self,
        trainer: AnyEngine,
        to_save: Mapping[str, Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        num_iter: int | None = None,
        start_lr: float | Sequence[float] | None = None,
        end_lr: float | Sequence[float] = 10.0,
        step_mode: str = "exp",
        smooth_f: float = 0.05,
        diverge_th: float = 5.0,
        *,
        folder: Folder = None,
    ) -> AbstractContextManager[AnyEngine]:
        """Return a context in which each run of the trainer is a range test.

        On leaving it, a `RangeTestWarning` says so when the loss did not diverge, or the run ended
        before the test did.

        Args:
            trainer: an engine that trains; its next run begins anew.
            to_save: what is put back afterwards, by names of yours: the model or models, the
                optimizer as ``"optimizer"``, and whatever else the trainer changes and has
                ``state_dict`` and ``load_state_dict``.
            output_transform: makes the loss from the step's output: a number or a tensor of one.
            num_iter: iterations of the test, as many epochs as they take; those of the run where
                left out.
            start_lr: the first rate, one for all groups of parameters or one for each; the
                optimizer's own where left out.
            end_lr: the last rate, one for all groups or one for each.
            step_mode: ``"exp"`` or ``"linear"``.
            smooth_f: the weight of a new loss in the smoothed one, from 0 to below 1; 0 for no
                smoothing.
            diverge_th: how many times the smallest loss ends the test, above 1.
            folder: where a temporary file keeps what is put back; in memory, where left out.

        Returns:
            A context manager; ``as`` gives the trainer.

        Raises:
            InvalidType: for an argument of another type.
            InvalidArgument: for an impossible one; when ``to_save`` lacks the optimizer or a model
                with its parameters; and on entering, when a test of this finder is under way.
            EngineBusy: on entering, when the trainer runs, or was interrupted.
        """
        checked_engine("trainer", trainer)
        objects = checked_objects(to_save)
        checked_function("output_transform", output_transform, "f(output)")
        settings = Settings(num_iter, start_lr, end_lr, step_mode, smooth_f, diverge_th)
        test = RangeTest(settings, objects["optimizer"], output_transform)
        return self._testing(trainer, objects, test, folder)

    @contextmanager
    def _testing(
        self, trainer: AnyEngine, objects: Mapping[str, Any], test: RangeTest, folder: Folder
    ) -> Iterator[AnyEngine]:
        if self._busy:
            raise InvalidArgument(
                "a range test of this finder is under way; leave its with block before the next"
            )
        # What was added to the trainer's state, as a gradient scaler, is changed by a run too.
        own = attributes_of(trainer.state).items()
        held = {f"state.{name}": value for name, value in own if has_state(value)}
        self._busy = True
        try:
            with kept({**held, **objects}, folder), unchanged(trainer), test.attached(trainer):
                self._test = test
                yield trainer
        finally:
            self._busy = False
        test.warn()

    def get_results(self) -> dict[str, list[Any]]:
        """Return the curve of the last test.

        Returns:
            ``{"lr": [...], "loss": [...]}``, an entry for each iteration: the rate that its update
            was made with, and its smoothed loss. With several groups of parameters an entry of
            ``"lr"`` is a list of theirs. Both are empty before a test.
        """
        if self._test is None:
            return {"lr": [], "loss": []}
        curve = self._test.curve
        return {"lr": [_shown(rates) for rates in curve.rates], "loss": list(curve.losses)}

    def lr_suggestion(self) -> Any:
        """Return the rate at which the loss fell fastest.

        Returns:
            A number, or with several groups of parameters a list of one for each.

        Raises:
            RangeTestFailed: before a test, or when the loss did not fall.
        """
        curve = self._tested().curve
        return _shown(curve.rates[curve.steepest()])

    def apply_suggested_lr(self, optimizer: Any) -> None:
        """Set the rates of an optimizer to the suggested ones.

        Args:
            optimizer: one with as many groups of parameters as the one that was tested.

        Raises:
            RangeTestFailed: before a test, or when the loss did not fall.
            InvalidType: when it is no optimizer.
            InvalidArgument: when it has another number of groups.
        """
        groups = groups_of(optimizer)
        curve = self._tested().curve
        rates = curve.rates[curve.steepest()]
        if len(groups) != len(rates):
            raise InvalidArgument(
                f"the tested optimizer had {len(rates)} groups of parameters, and this one has "
                f"{len(groups)}; set their lr by hand: {_shown(rates)}"
            )
        set_rates(groups, rates)

    def plot(
        self,
        skip_start: int = 10,
        skip_end: int = 5,
        log_lr: bool = True,
        display_suggestion: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Plot the smoothed loss against the rate, with matplotlib.

        Args:
            skip_start: points to leave out at the start.
            skip_end: points to leave out at the end.
            log_lr: whether the axis of the rates is logarithmic.
            display_suggestion: whether the suggested rate is marked, where there is one.
            ax: the axes to draw on; new ones where left out.
            **kwargs: for ``matplotlib.pyplot.subplots``, when the axes are new.

        Returns:
            The axes; ``ax.figure.savefig(path)`` saves them.

        Raises:
            RangeTestFailed: before a test.
            InvalidType: when a number of points is no integer.
            InvalidArgument: when it is negative, or no point is left.
            MissingLibrary: when matplotlib, the extra ``plot``, is not installed.
        """
        curve = self._tested().curve
        first, last = checked_skip("skip_start", skip_start), checked_skip("skip_end", skip_end)
        shown = range(first, len(curve.losses) - last)
        if not shown:
            raise InvalidArgument(
                f"skip_start={skip_start} and skip_end={skip_end} leave none of the "
                f"{len(curve.losses)} points; pass smaller ones"
            )
        suggested = None
        if display_suggestion:
            with suppress(RangeTestFailed):  # whose message advises to look at the curve
                suggested = curve.steepest()
        return draw(
            curve.rates, curve.losses, suggested, shown=shown, log_lr=log_lr, ax=ax, **kwargs
        )

    def _tested(self) -> RangeTest:
        if self._test is None or not self._test.curve.losses:
            raise RangeTestFailed(f"no range test has been run: {self._hint}")
        return self._test

    def __getstate__(self) -> dict[str, Any]:
        # A copy has tested nothing: a test belongs to the optimizer that it changed.
        return {"_test": None, "_busy": False}


def _shown(rates: Sequence[float]) -> Any:
    return list(rates) if len(rates) > 1 else rates[0]
