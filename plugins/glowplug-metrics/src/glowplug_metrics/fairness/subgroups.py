"""A metric of every group by itself.

Owns: which example goes to the metric of which group, and when that is looked at.
Must not know: what is made of the values of the groups.

How many examples of a batch are in a group is known where the labels are. On the host they are
looked at at once. On a device that would be to wait for it, so the batch is kept there until a
value is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import ResultMode


class SubgroupMetric(Metric):
    """The value of a metric in every group of the examples.

    The output is ``(y_pred, y, group_labels)``: ``y_pred`` and ``y`` of the shapes that the metric
    takes, with N examples along the first dimension, and the group of each, ``(N,)``: a tensor, or
    a list of numbers or names. The value is a mapping from groups to values, which leaves those
    out of which there was no example. Examples of groups that are not in ``groups`` are left out.

    Labels on the host, where a batch comes from, cost nothing: keep them there. Batches whose
    labels are on a device are kept on it until a value is asked for, so that no update waits.

    pytorch-ignite takes no names of groups but in tensors, ignores the ``output_transform`` of the
    metric, and returns an empty mapping of nothing, which is an error here.

    Args:
        base_metric: the metric; each group has one that is set up as this one.
        groups: the groups.
        output_transform: makes ``(y_pred, y, group_labels)`` of the step's output.
        device: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidType: when ``base_metric`` is no metric, or for an output of another form.
        InvalidArgument: for no groups, or one that is named twice; on the first update, when there
            are not N labels.

    Example:
        >>> from glowplug_metrics import Accuracy
        >>> metric = SubgroupMetric(Accuracy(), groups=["a", "b"])
        >>> y_pred, y = torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 1, 0])
        >>> metric.update((y_pred, y, ["a", "a", "b", "b"]))
        >>> metric.compute()
        {'a': 1.0, 'b': 0.5}
    """

    required_output_keys: ClassVar[tuple[str, ...]] = ("y_pred", "y", "group_labels")
    sizes: Tensor
    _unsorted: list[tuple[Tensor, Tensor, Tensor]]

    def __init__(
        self,
        base_metric: Metric,
        groups: Iterable[Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        *,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        if not isinstance(base_metric, Metric):
            raise InvalidType(
                f"base_metric must be a metric, got {base_metric!r} of type "
                f"{type(base_metric).__name__}"
            )
        super().__init__(output_transform, device, metrics_result_mode=metrics_result_mode)
        self._groups = _checked(groups)
        self._trial = base_metric._twin({})
        self._parts = {str(place): base_metric._twin({}) for place in self._groups.values()}
        self.follow(CPU)  # the sizes are known to the host
        self.add_state("sizes", torch.zeros(len(self._groups), dtype=torch.int64), reduce="sum")
        self.reset()

    def _further_names(self) -> Iterable[Any]:
        return self._groups

    def update(self, output: Any) -> None:
        """Take in one batch.

        Args:
            output: ``(y_pred, y, group_labels)``.

        Raises:
            InvalidType: when this is not two tensors and labels, on the first update.
            InvalidArgument: when there are not as many labels as examples.
        """
        if self._fresh:
            self._check(output)
        y_pred, y, labels = output
        if not len(y_pred) == len(y) == len(labels):  # known to the host
            raise InvalidArgument(
                f"{type(self).__name__} expected y_pred, y and group_labels of one N, got "
                f"{len(y_pred)}, {len(y)} and {len(labels)}"
            )
        y_pred, y = y_pred.detach(), y.detach()
        if self._fresh:
            self._try(y_pred, y)
        if isinstance(labels, Tensor) and not is_on_host(labels):
            # the step may reuse its buffers
            self._unsorted.append((y_pred.clone(), y.clone(), labels.clone()))
        else:
            self._hand_out(y_pred, y, labels)

    def _check(self, output: Any) -> None:
        triple = isinstance(output, (tuple, list)) and len(output) == 3
        if not triple or not all(isinstance(t, Tensor) and t.ndim for t in output[:2]):
            self._refuse(output)
        labels = output[2]
        if isinstance(labels, Tensor):
            right = labels.ndim == 1 and not labels.is_complex()
        else:
            right = isinstance(labels, Sequence) and not isinstance(labels, str)
            right = right and all(map(_is_name, labels))
        if not right:
            self._refuse(output)

    def _try(self, y_pred: Tensor, y: Tensor) -> None:
        """Let the metric refuse a first batch before the first group has taken its part of it."""
        self._trial.reset()
        self._trial.feed((y_pred, y))
        self._trial.reset()
        self._fresh = False

    def _refuse(self, output: Any) -> None:
        parts = output if isinstance(output, (tuple, list)) else [output]
        came = (
            f"a tensor of shape {tuple(part.shape)}"
            if isinstance(part, Tensor)
            else type(part).__name__
            for part in parts
        )
        raise InvalidType(
            f"{type(self).__name__} expected (y_pred, y, group_labels): two tensors of N examples, "
            f"and a tensor (N,) or a list of N labels; got {', '.join(came)}; output_transform can "
            "bring the step's output into this form"
        )

    def _hand_out(self, y_pred: Tensor, y: Tensor, labels: Tensor | Sequence[Hashable]) -> None:
        """Give the metric of each group its examples."""
        order, found = _sorted(labels)
        batches = (
            tensor.index_select(0, order.to(tensor.device, non_blocking=True)).split(
                list(found.values())
            )
            for tensor in (y_pred, y)
        )
        for group, *examples in zip(found, *batches, strict=True):
            part = self._groups.get(group)
            if part is not None:
                self._parts[str(part)].feed(tuple(examples))
        self.sizes += torch.tensor([found.get(group, 0) for group in self._groups])

    def settle(self) -> None:
        """Hand out the batches whose labels were not looked at."""
        unsorted, self._unsorted = self._unsorted, []
        for y_pred, y, labels in unsorted:
            self._hand_out(y_pred, y, labels.cpu())

    def reset(self) -> None:
        """Forget what was gathered, and what was not looked at."""
        super().reset()
        self._unsorted = []

    def compute(self) -> Any:
        """Return the value of each group that has examples, by group.

        Raises:
            NotComputableError: when no example of a group was taken in.
        """
        sizes: list[int] = self.reduced()["sizes"].tolist()
        refuse_nothing(self, sum(sizes))
        return {
            group: self._parts[str(part)].compute()
            for group, part in self._groups.items()
            if sizes[part]
        }


def is_on_host(labels: Tensor) -> bool:
    """Return whether labels can be looked at without waiting.

    Example:
        >>> is_on_host(torch.tensor([0, 1]))
        True
    """
    return labels.device.type == "cpu"


def _checked(groups: Iterable[Any]) -> dict[Hashable, int]:
    groups = groups.tolist() if isinstance(groups, Tensor) else groups
    listed = list(groups) if isinstance(groups, Iterable) and not isinstance(groups, str) else None
    if listed is None or not all(map(_is_name, listed)):
        raise InvalidType(
            "groups must be a list of groups, which are numbers or names, got "
            f"{groups!r} of type {type(groups).__name__}"
        )
    places = {group: place for place, group in enumerate(dict.fromkeys(listed))}
    if not places or len(places) < len(listed):
        raise InvalidArgument(
            f"groups must name at least one group, and each of them once, got {listed}"
        )
    return places


def _is_name(group: Any) -> bool:
    """Return whether a group can be told from others; tensors are compared by place in memory."""
    return isinstance(group, Hashable) and not isinstance(group, Tensor)


def _sorted(labels: Tensor | Sequence[Hashable]) -> tuple[Tensor, dict[Hashable, int]]:
    """Return the examples in the order of their groups, and how many there are of each."""
    if isinstance(labels, Tensor):
        ordered, order = labels.sort(stable=True)
        groups, sizes = ordered.unique_consecutive(return_counts=True)
        return order, dict(zip(groups.tolist(), sizes.tolist(), strict=True))
    members: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        members.setdefault(label, []).append(place)
    order = torch.tensor([place for places in members.values() for place in places])
    return order.long(), {group: len(places) for group, places in members.items()}
