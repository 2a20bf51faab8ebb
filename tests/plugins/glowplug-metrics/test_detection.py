from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    CommonObjectDetectionMetrics,
    NotComputableError,
    ObjectDetectionAvgPrecisionRecall,
    coco_tensor_list_to_dict_list,
)
from glowplug_metrics.detection import coco

CLASSES = 3
AREAS = {name: list(bounds) for name, bounds in coco.AREAS.items()}


def some_boxes(generator: torch.Generator, n: int) -> Tensor:
    """Boxes, small, medium and large, whose sides are whole, so that COCO's form is exact."""
    longest = torch.tensor([6, 40, 120])[torch.randint(3, (n, 1), generator=generator)]
    corners = torch.randint(20, (n, 2), generator=generator)
    sizes = 1 + (torch.rand(n, 2, generator=generator) * longest).long()
    return torch.cat((corners, corners + sizes), dim=1).float()


def some_image(generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Found and true boxes of an image, of which some are nearly the same."""
    n, more = torch.randint(7, (2,), generator=generator).tolist()
    true, kinds = some_boxes(generator, n), torch.randint(CLASSES, (n + more,), generator=generator)
    near = true.clone()
    near[:, 2:] += torch.randint(4, (n, 2), generator=generator)
    crowd = torch.rand(n, generator=generator) < 0.25
    y_pred = {
        "bbox": torch.cat((near, some_boxes(generator, more))),
        "class": kinds,
        "confidence": torch.randint(6, (n + more,), generator=generator) / 8,
    }
    return y_pred, {"bbox": true, "class": kinds[:n], "iscrowd": crowd}


def some_images(seed: int, n: int) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    generator = torch.Generator().manual_seed(seed)
    return [some_image(generator) for _ in range(n)]


images = st.builds(some_images, st.integers(0, 2**31), st.integers(1, 4))


def as_coco(sides: list[dict[str, Tensor]]) -> list[dict[str, Any]]:
    """One side of all images as COCO has it."""
    rows: list[dict[str, Any]] = []
    for index, side in enumerate(sides):
        for place, (x1, y1, x2, y2) in enumerate(side["bbox"].tolist()):
            row = {"id": len(rows) + 1, "image_id": index, "area": (x2 - x1) * (y2 - y1)}
            row |= {"category_id": int(side["class"][place]), "bbox": [x1, y1, x2 - x1, y2 - y1]}
            row["iscrowd"] = int(side["iscrowd"][place]) if "iscrowd" in side else 0
            row["score"] = float(side["confidence"][place]) if "confidence" in side else 0.0
            if "area" in side:
                row["area"] = float(side["area"][place])
            rows.append(row)
    return rows


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps what pycocotools prints to itself."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


@quiet()
def evaluation(drawn: Any) -> COCOeval:
    """What pycocotools is to evaluate."""
    books = []
    for side in (0, 1):
        book = COCO()
        book.dataset = {
            "images": [{"id": index} for index in range(len(drawn))],
            "annotations": as_coco([pair[side] for pair in drawn]),
            "categories": [{"id": kind} for kind in range(CLASSES)],
        }
        book.createIndex()
        books.append(book)
    return COCOeval(books[1], books[0], "bbox")


@quiet()
def evaluated(evaluate: COCOeval) -> COCOeval:
    evaluate.evaluate()
    evaluate.accumulate()
    return evaluate


def mean(values: Any) -> float:
    known = values[values > -1]
    return float(known.mean()) if known.size else -1.0


def output(drawn: Any) -> tuple[list[Any], list[Any]]:
    return [y_pred for y_pred, _ in drawn], [y for _, y in drawn]


@settings(max_examples=60)
@given(drawn=images, cut=st.integers(0, 4))
def test_the_twelve_numbers_are_those_that_pycocotools_prints(drawn: Any, cut: int) -> None:
    metric = CommonObjectDetectionMetrics(CLASSES)
    for part in (drawn[:cut], drawn[cut:]):
        metric.update(output(part))
    expected = evaluated(evaluation(drawn))
    with quiet():
        expected.summarize()
    np.testing.assert_allclose(list(metric.compute().values()), expected.stats, rtol=1e-12)


@settings(max_examples=60)
@given(
    drawn=images,
    most=st.integers(1, 4),
    area=st.sampled_from(["all", "small", "medium", "large"]),
    overlaps=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.6, 1.0]), min_size=1, max_size=3),
    recalls=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, unique=True).map(sorted),
)
def test_thresholds_areas_and_numbers_of_boxes_are_those_of_pycocotools(
    drawn: Any, most: int, area: str, overlaps: list[float], recalls: list[float]
) -> None:
    metric = ObjectDetectionAvgPrecisionRecall(overlaps, recalls, CLASSES, most, area)
    metric.update(output(drawn))
    expected = evaluation(drawn)
    expected.params.iouThrs, expected.params.recThrs = np.array(overlaps), np.array(recalls)
    expected.params.maxDets = [most]
    expected.params.areaRng, expected.params.areaRngLbl = [AREAS[area]], [area]
    found = evaluated(expected).eval
    assert metric.compute() == pytest.approx((mean(found["precision"]), mean(found["recall"])))


def test_of_boxes_that_overlap_alike_the_last_is_taken_as_pycocotools_does() -> None:
    true = torch.tensor([[0.0, 0.0, 10.0, 10.0], [20.0, 0.0, 30.0, 10.0]])
    wide_and_narrow = torch.tensor([[0.0, 0.0, 30.0, 10.0], [0.0, 0.0, 10.0, 10.0]])
    kinds = torch.zeros(2, dtype=torch.int64)
    found = {"bbox": wide_and_narrow, "class": kinds, "confidence": torch.tensor([0.9, 0.8])}
    drawn = [(found, {"bbox": true, "class": kinds})]
    metric = ObjectDetectionAvgPrecisionRecall([0.3], num_classes=CLASSES)
    metric.update(output(drawn))
    expected = evaluation(drawn)
    expected.params.iouThrs = np.array([0.3])
    assert metric.compute()[1] == mean(evaluated(expected).eval["recall"][:, :, 0, 2]) == 1.0


def test_the_area_of_an_object_may_be_less_than_that_of_its_box() -> None:
    square = torch.tensor([[0.0, 0.0, 40.0, 40.0]])
    found = {"bbox": square, "class": torch.tensor([0]), "confidence": torch.tensor([0.5])}
    true = {"bbox": square, "class": torch.tensor([0]), "area": torch.tensor([900.0])}
    small = ObjectDetectionAvgPrecisionRecall(num_classes=1, area_range="small")
    small.update(([found], [true]))
    assert small.compute() == pytest.approx((1.0, 1.0))
    medium = ObjectDetectionAvgPrecisionRecall(num_classes=1, area_range="medium")
    medium.update(([found], [true]))
    assert medium.compute() == (-1.0, -1.0)


@settings(max_examples=15)
@given(drawn=images)
def test_comparing_few_boxes_at_once_changes_nothing(drawn: Any) -> None:
    metric = CommonObjectDetectionMetrics(CLASSES)
    metric.update(output(drawn))
    whole = metric.compute()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco, "AT_ONCE", 1)
        assert metric.compute() == whole


def test_a_nan_for_a_confidence_comes_last_and_for_a_corner_overlaps_nothing() -> None:
    square = torch.tensor([[0.0, 0.0, 8.0, 8.0]])
    bbox = torch.cat((square * torch.nan, square + 100, square))
    confidence = torch.tensor([0.9, torch.nan, 0.1])
    found = {"bbox": bbox, "class": torch.zeros(3), "confidence": confidence}
    metric = ObjectDetectionAvgPrecisionRecall(num_classes=1)
    metric.update(([found], [{"bbox": square, "class": torch.zeros(1)}]))
    assert metric.compute() == pytest.approx((0.5, 1.0))


def test_tensors_become_the_mappings_that_the_metrics_take() -> None:
    found = [torch.tensor([[1.0, 2.0, 3.0, 4.0, 0.5, 7.0]]), torch.zeros(0, 6)]
    true = [torch.tensor([[1.0, 2.0, 3.0, 4.0, 7.0, 1.0]]), torch.zeros(0, 5)]
    y_pred, y = coco_tensor_list_to_dict_list((found, true))
    assert y_pred[0]["bbox"].tolist() == y[0]["bbox"].tolist() == [[1.0, 2.0, 3.0, 4.0]]
    assert (y_pred[0]["confidence"].item(), y_pred[0]["class"].item()) == (0.5, 7)
    assert y[0]["iscrowd"].tolist() == [True]
    assert [len(image["bbox"]) for image in (y_pred[1], y[1])] == [0, 0]
    assert set(y[1]) == {"bbox", "class"}


def test_mappings_stay_as_they_are() -> None:
    already = [{"bbox": torch.zeros(0, 4)}]
    y_pred, y = coco_tensor_list_to_dict_list((already, already))
    assert y_pred[0] is y[0] is already[0]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (torch.ones(2, 6), InvalidType, r"expected \(y_pred, y\), two lists"),
        (([torch.ones(2, 5)], []), InvalidArgument, r"y_pred must hold .* \(D, 6\) .*got \(2, 5\)"),
        (([], [torch.ones(2, 7)]), InvalidArgument, r"y must hold .* \(G, 5\) or \(G, 6\)"),
        (([], ["boxes"]), InvalidType, r"y must hold a tensor .* got str"),
    ],
)
def test_tensors_of_another_form_are_refused(given: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        coco_tensor_list_to_dict_list(given)


BOX = torch.ones(1, 4)
ONE = torch.ones(1)
FOUND = {"bbox": BOX, "confidence": ONE, "class": ONE}


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ((BOX, BOX), InvalidType, r"expected \(y_pred, y\), two lists of one mapping for each"),
        (([BOX], [BOX]), InvalidType, "coco_tensor_list_to_dict_list makes them of tensors"),
        (([FOUND], []), InvalidArgument, "of the same images, got 1 and 0"),
        (([{"bbox": BOX}], [FOUND]), InvalidArgument, "the keys bbox, confidence, class, got bbox"),
        (([FOUND], [{"bbox": ONE, "class": ONE}]), InvalidArgument, r"bbox of shape \(D, 4\)"),
        (([{**FOUND, "class": torch.ones(2)}], [FOUND]), InvalidArgument, r"\(D,\) = \(1,\), got"),
        (([FOUND], [{**FOUND, "class": [1]}]), InvalidArgument, "in image 0 of y$"),
    ],
)
def test_outputs_of_another_form_are_refused_at_once(given: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        ObjectDetectionAvgPrecisionRecall().update(given)


def test_a_class_that_there_is_not_is_refused_with_its_number() -> None:
    metric = ObjectDetectionAvgPrecisionRecall(num_classes=1)
    metric.update(([FOUND], [{"bbox": BOX, "class": torch.zeros(1)}]))
    with pytest.raises(InvalidArgument, match="1 classes, from 0 to 0, and took in class 1 in y_p"):
        metric.compute()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"iou_thresholds": [1.5]}, "iou_thresholds must be numbers from 0 to 1"),
        ({"rec_thresholds": []}, "rec_thresholds must be numbers from 0 to 1, at least one"),
        ({"num_classes": 0}, "num_classes must be a positive number, got 0"),
        ({"area_range": "larg"}, "area_range must be one of .*did you mean 'large'"),
    ],
)
def test_arguments_out_of_their_range_are_refused(arguments: Any, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        ObjectDetectionAvgPrecisionRecall(**arguments)


@pytest.mark.parametrize(
    "metric", [ObjectDetectionAvgPrecisionRecall, CommonObjectDetectionMetrics]
)
def test_without_images_there_is_no_value(metric: Any) -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        metric().compute()


def test_the_twelve_numbers_appear_under_their_names(final: Any) -> None:
    metrics = final(CommonObjectDetectionMetrics(), [([FOUND], [FOUND])])
    assert list(metrics["m"]) == [name for name in metrics if name != "m"]
    assert metrics["AP@50"] == metrics["m"]["AP@50"]
