"""The metrics of found objects: average precision and recall, and COCO's twelve numbers.

Owns: gathering boxes, and which curves make which number.
Must not know: how boxes are matched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_metrics.detection.boxes import check_images, found_rows, true_rows
from glowplug_metrics.detection.coco import AREAS, Boxes, Curves, Matches, evenly, mean_of_known
from glowplug_metrics.group import MetricGroup
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import has_float64


class ObjectDetectionAvgPrecisionRecall(Metric):
    r"""Average precision and average recall of found boxes, as COCO defines them.

    .. math:: \mathrm{AP} = \frac{1}{K T R} \sum_{k, t, r} \max_{r' \geq r} P_{kt}(r'), \qquad
        \mathrm{AR} = \frac{1}{K T} \sum_{k, t} \max P_{kt}^{-1}

    with the precision :math:`P_{kt}` of class k as a function of recall, where a found box is right
    when it overlaps a true one by the t-th threshold at least; the second mean is of the greatest
    recalls. The found boxes of an image take true ones in the order of their confidence. Boxes of
    crowds, and true boxes out of the range of areas, are neither missed nor wrongly found.

    Takes ``(y_pred, y)``, two lists of one mapping for each image: ``bbox`` ``(D, 4)`` with
    ``x1, y1, x2, y2`` in pixels, ``confidence`` ``(D,)`` and ``class`` ``(D,)`` in ``y_pred``;
    ``bbox`` ``(G, 4)``, ``class`` ``(G,)`` and, if known, ``iscrowd`` ``(G,)`` and ``area``
    ``(G,)``, that of an object, which may be less than its box's, in ``y``.
    `coco_tensor_list_to_dict_list` makes such lists of tensors.

    Both from 0 to 1, larger is better; -1 where no class has a true box that counts. Classes
    without one are left out of the means. A NaN for a confidence comes last, and a box with NaN
    overlaps nothing. Of equal confidences the one that came first goes first. Boxes are kept on
    ``device`` until ``compute``, which works on the CPU in float64.

    Args:
        iou_thresholds: the overlaps, from 0 to 1; COCO's 0.5, 0.55, ..., 0.95 by default.
        rec_thresholds: the recalls, from 0 to 1; COCO's 0, 0.01, ..., 1 by default.
        num_classes: how many classes there are, K, numbered from 0.
        max_detections_per_image_per_class: how many boxes of a class count in an image: the most
            confident ones.
        area_range: ``"small"`` (up to 32 by 32 pixels), ``"medium"`` (up to 96 by 96), ``"large"``,
            or ``"all"``.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where boxes are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for arguments out of their range; on the first update, for other shapes and
            keys; by ``compute``, for classes that there are not.
        InvalidType: on the first update, for an output that is not two lists of mappings.

    Source:
        T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and COCO's own
        evaluation in pycocotools, which gives the same.

    Example:
        >>> metric = ObjectDetectionAvgPrecisionRecall(num_classes=2)
        >>> box = torch.tensor([[10.0, 10.0, 20.0, 20.0]])
        >>> found = {"bbox": box, "confidence": torch.tensor([0.9]), "class": torch.tensor([1])}
        >>> metric.update(([found], [{"bbox": box, "class": torch.tensor([1])}]))
        >>> [round(value, 6) for value in metric.compute()]
        [1.0, 1.0]
    """

    single_valued = True
    images: int
    found: list[Tensor]
    found_counts: list[Tensor]
    true: list[Tensor]
    true_counts: list[Tensor]

    def __init__(
        self,
        iou_thresholds: Sequence[float] | Tensor | None = None,
        rec_thresholds: Sequence[float] | Tensor | None = None,
        num_classes: int = 80,
        max_detections_per_image_per_class: int = 100,
        area_range: str = "all",
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        if area_range not in AREAS:
            raise InvalidArgument(
                f"area_range must be one of {', '.join(AREAS)}, got {area_range!r}"
                f"{did_you_mean(str(area_range), AREAS)}"
            )
        overlap = evenly(0.5, 0.95, 10) if iou_thresholds is None else iou_thresholds
        recalls = evenly(0.0, 1.0, 101) if rec_thresholds is None else rec_thresholds
        self._overlap = _shares("iou_thresholds", overlap)
        self._recalls = _shares("rec_thresholds", recalls)
        self._classes = _number("num_classes", num_classes)
        most = max_detections_per_image_per_class
        self._most = _number("max_detections_per_image_per_class", most)
        self._area = AREAS[area_range]
        self.add_state("images", 0, reduce="sum")
        for name in ("found", "found_counts", "true", "true_counts"):
            self.add_state(name, [], reduce="cat")

    def update(self, output: Any) -> None:
        """Take in the boxes of some images.

        Raises:
            InvalidType: on the first update, for an output that is not two lists of mappings.
            InvalidArgument: on the first update, for other shapes and keys.
        """
        if self._fresh:
            check_images(type(self).__name__, output)
            self._fresh = False
        y_pred, y = output
        if not y:
            return
        dtype = torch.float64 if has_float64(self._device) else torch.float32
        self.found.append(found_rows(y_pred, dtype).to(self._device))
        self.true.append(true_rows(y, dtype).to(self._device))
        self.found_counts.append(self._counts(y_pred))
        self.true_counts.append(self._counts(y))
        self.images += len(y)

    def _counts(self, images: Sequence[Any]) -> Tensor:
        return torch.tensor([len(image["bbox"]) for image in images], device=self._device)

    def boxes(self) -> Boxes:
        """Return the boxes of all ranks, on the CPU in float64.

        Raises:
            NotComputableError: when no image was taken in.
            InvalidArgument: for classes that there are not.
        """
        states = self.reduced()
        refuse_nothing(self, states["images"])
        found, true = (torch.cat(states[name]).cpu().double() for name in ("found", "true"))
        found_in, true_in = (
            torch.arange(states["images"]).repeat_interleave(torch.cat(states[name]).cpu())
            for name in ("found_counts", "true_counts")
        )
        for side, classes in (("y_pred", found[:, 5]), ("y", true[:, 4])):
            wrong = classes[~((classes >= 0) & (classes < self._classes) & (classes % 1 == 0))]
            if len(wrong):
                raise InvalidArgument(
                    f"{type(self).__name__} was made for {self._classes} classes, from 0 to "
                    f"{self._classes - 1}, and took in class {wrong[0].item():g} in {side}; give "
                    "num_classes, or number them from 0 in output_transform"
                )
        return Boxes(found, found_in, true, true_in)

    def value(self) -> Any:
        """Return average precision and average recall, in float64 on the CPU."""
        matches = Matches(self.boxes(), self._classes, self._overlap, self._area, self._most)
        curves = matches.curves(self._recalls, self._most)
        return mean_of_known(curves.precision), mean_of_known(curves.recall)

    def compute(self) -> Any:
        """Return average precision and average recall, two numbers.

        Raises:
            NotComputableError: when no image was taken in.
            InvalidArgument: for classes that there are not.
        """
        return tuple(map(as_numbers, self.value()))


class CommonObjectDetectionMetrics(MetricGroup):
    """The twelve numbers that COCO's evaluation prints.

    ================ ============================================================
    ``AP@50..95``    average precision over the overlaps 0.5, 0.55, ..., 0.95
    ``AP@50``        at the overlap 0.5
    ``AP@75``        at the overlap 0.75
    ``AP-S``         of small objects, up to 32 by 32 pixels
    ``AP-M``         of medium ones, up to 96 by 96
    ``AP-L``         of large ones
    ``AR-1``         average recall with one box of each class in an image
    ``AR-10``        with ten
    ``AR-100``       with a hundred
    ``AR-S``         of small objects
    ``AR-M``         of medium ones
    ``AR-L``         of large ones
    ================ ============================================================

    What goes in, what the numbers mean, and their range are as for
    `ObjectDetectionAvgPrecisionRecall`; larger is better. The boxes are kept once for all twelve.

    Args:
        num_classes: how many classes there are, numbered from 0.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where boxes are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: as for `ObjectDetectionAvgPrecisionRecall`.
        InvalidType: as for `ObjectDetectionAvgPrecisionRecall`.

    Source:
        As for `ObjectDetectionAvgPrecisionRecall`.

    Example:
        >>> metric = CommonObjectDetectionMetrics(num_classes=2)
        >>> box = torch.tensor([[10.0, 10.0, 20.0, 20.0]])
        >>> found = {"bbox": box, "confidence": torch.tensor([0.9]), "class": torch.tensor([1])}
        >>> metric.update(([found], [{"bbox": box, "class": torch.tensor([1])}]))
        >>> metric.compute()["AR-S"], metric.compute()["AR-L"]
        (1.0, -1.0)
    """

    NAMES: ClassVar[tuple[str, ...]] = (
        "AP@50..95",
        "AP@50",
        "AP@75",
        "AP-S",
        "AP-M",
        "AP-L",
        "AR-1",
        "AR-10",
        "AR-100",
        "AR-S",
        "AR-M",
        "AR-L",
    )

    def __init__(
        self,
        num_classes: int = 80,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = True,
    ) -> None:
        boxes = ObjectDetectionAvgPrecisionRecall(
            num_classes=num_classes, device=device, skip_unrolling=True
        )
        super().__init__({"boxes": boxes}, output_transform, skip_unrolling)
        self._classes = num_classes

    def _further_names(self) -> Iterable[Any]:
        return self.NAMES

    def compute(self) -> dict[str, float]:
        """Return the numbers by name.

        Raises:
            NotComputableError: when no image was taken in.
            InvalidArgument: for classes that there are not.
        """
        gathered = self._parts["boxes"]
        assert isinstance(gathered, ObjectDetectionAvgPrecisionRecall)
        boxes = gathered.boxes()
        overlap, recalls = gathered._overlap, gathered._recalls

        def curves(area: str, *most: int) -> list[Curves]:
            matches = Matches(boxes, self._classes, overlap, AREAS[area], max(most))
            return [matches.curves(recalls, number) for number in most]

        one, ten, hundred = curves("all", 1, 10, 100)
        sized = [curves(area, 100)[0] for area in ("small", "medium", "large")]
        precisions = [hundred.precision, hundred.precision[:1], hundred.precision[5:6]]
        precisions += [size.precision for size in sized]
        recalled = [some.recall for some in (one, ten, hundred, *sized)]
        values = (as_numbers(mean_of_known(some)) for some in (*precisions, *recalled))
        return dict(zip(self.NAMES, values, strict=True))


def _shares(name: str, given: Sequence[float] | Tensor) -> Tensor:
    shares = torch.as_tensor(given, dtype=torch.float64).cpu()
    if shares.ndim != 1 or not len(shares) or not bool(((shares >= 0) & (shares <= 1)).all()):
        raise InvalidArgument(f"{name} must be numbers from 0 to 1, at least one, got {given!r}")
    return shares


def _number(name: str, given: Any) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    raise InvalidArgument(
        f"{name} must be a positive number, got {given!r} of type {type(given).__name__}"
    )
