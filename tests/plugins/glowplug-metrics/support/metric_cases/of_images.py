"""Metrics of images, and of the objects in them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import glowplug_metrics as m
from metric_cases.case import Case, Examples, maps


def images(generator: torch.Generator, n: int) -> Examples:
    """Two images of two channels for each example."""
    return tuple(torch.rand(2, n, 2, 6, 7, generator=generator, dtype=torch.float64))


def volumes(generator: torch.Generator, n: int) -> Examples:
    """Two volumes for each example."""
    return tuple(torch.rand(2, n, 1, 4, 3, 5, generator=generator, dtype=torch.float64))


def features(generator: torch.Generator, n: int) -> Examples:
    """Two vectors of three features for each example, far from 0."""
    return tuple(100 + torch.randn(2, n, 3, generator=generator, dtype=torch.float64))


def probabilities(generator: torch.Generator, n: int) -> Tensor:
    """The probabilities of four classes."""
    return torch.randn(n, 4, generator=generator, dtype=torch.float64).softmax(dim=1)


def boxes(generator: torch.Generator, n: int) -> Examples:
    """Five found and four true boxes of two classes in each image, some of them of crowds."""
    corners = torch.randint(40, (n, 9, 2), generator=generator)
    sizes = torch.randint(8, 60, (n, 9, 2), generator=generator)
    shape = torch.cat((corners, corners + sizes), dim=2).double()
    kinds = torch.randint(2, (n, 9, 1), generator=generator)
    confidence = torch.rand(n, 5, 1, generator=generator, dtype=torch.float64)
    crowd = torch.rand(n, 4, 1, generator=generator) < 0.2
    found = torch.cat((shape[:, :5], confidence, kinds[:, :5]), dim=2)
    return found, torch.cat((shape[:, 5:], kinds[:, 5:], crowd), dim=2)


def lists(output: tuple[Tensor, Tensor]) -> Any:
    """Tensors of boxes as the mappings that metrics of objects take."""
    return m.coco_tensor_list_to_dict_list((output[0].unbind(), output[1].unbind()))


CASES = {
    "ssim": Case(lambda: m.SSIM(1.0, kernel_size=5), images, close=1e-4),
    "ssim, even weights": Case(
        lambda: m.SSIM(1.0, kernel_size=(3, 5), gaussian=False), images, close=1e-4
    ),
    "ssim, volumes": Case(lambda: m.SSIM(1.0, kernel_size=3, ndims=3), volumes, close=1e-4),
    "fid": Case(lambda: m.FID(num_features=3), features, close=1e-3),
    # the extractor itself computes in the precision of what it is given
    "fid, of images": Case(
        lambda: m.FID(2, lambda x: x.mean(2)[:, :2]), maps, exact=False, close=1e-3
    ),
    "inception score": Case(lambda: m.InceptionScore(num_features=4), probabilities),
    "object detection": Case(
        lambda: m.ObjectDetectionAvgPrecisionRecall(num_classes=2, output_transform=lists),
        boxes,
        nan=False,
    ),
    "object detection, of small objects": Case(
        lambda: m.ObjectDetectionAvgPrecisionRecall(
            iou_thresholds=[0.1],
            num_classes=2,
            max_detections_per_image_per_class=2,
            area_range="small",
            output_transform=lists,
        ),
        boxes,
        nan=False,
    ),
    "object detection, twelve numbers": Case(
        lambda: m.CommonObjectDetectionMetrics(num_classes=2, output_transform=lists),
        boxes,
        nan=False,
    ),
}
