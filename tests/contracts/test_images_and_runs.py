"""The contracts of the metrics of images, of the objects in them, and of how a run goes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import entropy
from skimage import metrics as skimage
from torch import Tensor
from torchmetrics.regression import MeanAbsoluteError

import glowplug_metrics as m
from glowplug import Engine
from glowplug.testing import MetricContract

GENERATOR = torch.Generator().manual_seed(0)
IMAGES, COPIES = torch.rand(2, 8, 1, 12, 13, generator=GENERATOR, dtype=torch.float64)
FEATURES, OTHERS = torch.randn(2, 8, 3, generator=GENERATOR, dtype=torch.float64)
CLASSES = FEATURES.softmax(dim=1)
SQUARE = [0.0, 0.0, 10.0, 10.0]


def similarity(x: Tensor, y: Tensor) -> float:
    of_two: Any = skimage.structural_similarity
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    each = [
        of_two(a[0].numpy(), b[0].numpy(), data_range=1.0, **window)
        for a, b in zip(x, y, strict=True)
    ]
    return float(np.mean(each))


def distance(x: Tensor, y: Tensor) -> float:
    one, other = (np.cov(rows.numpy(), rowvar=False) for rows in (x, y))
    gap = (x.mean(0) - y.mean(0)).numpy()
    return float(gap @ gap + np.trace(one + other - 2 * sqrtm(one @ other).real))


class OfPairs(MetricContract):
    """What takes in predictions and targets needs an output that has both."""

    needs = ("y_pred", "y")
    y_pred, y = FEATURES, OTHERS

    def data(self) -> Iterable[Any]:
        return list(zip(self.y_pred.split(2), self.y.split(2), strict=True))

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class TestSSIM(OfPairs):
    component = "ssim"
    y_pred, y = IMAGES, COPIES
    expected = similarity(IMAGES, COPIES)

    def make(self) -> m.SSIM:
        return m.SSIM(data_range=1.0)


class TestFID(OfPairs):
    component = "fid"
    expected = distance(FEATURES, OTHERS)

    def make(self) -> m.FID:
        return m.FID(num_features=3)


class TestInceptionScore(MetricContract):
    component = "inception-score"
    expected = float(np.exp(entropy(CLASSES, CLASSES.mean(0, keepdim=True), axis=1).mean()))

    def make(self) -> m.InceptionScore:
        return m.InceptionScore(num_features=3)

    def data(self) -> Iterable[Any]:
        return list(CLASSES.split(2))


class OfObjects(OfPairs):
    """Four images of one object each: found, found as another one, missed, and found twice."""

    def data(self) -> Iterable[Any]:
        found = [[[0.9, 0]], [[0.8, 1]], [], [[0.7, 0], [0.6, 0]]]
        rows = [[[*SQUARE, *rest] for rest in image] for image in found]
        images = [torch.tensor(image).reshape(-1, 6) for image in rows]
        true = torch.tensor([[*SQUARE, 0.0]])
        return [m.coco_tensor_list_to_dict_list(([image], [true])) for image in images]


class TestObjectDetectionAvgPrecisionRecall(OfObjects):
    component = "object-detection-avg-precision-recall"
    # two of four are found, by the two most confident boxes: up to a recall of a half
    expected: ClassVar[Any] = (pytest.approx(51 / 101), pytest.approx(0.5))

    def make(self) -> m.ObjectDetectionAvgPrecisionRecall:
        return m.ObjectDetectionAvgPrecisionRecall(num_classes=2)

    def test_its_value_is_found_under_its_name_and_is_the_expected_one(self) -> None:
        assert self.value(self._after_a_run()) == self.expected


class TestCommonObjectDetectionMetrics(OfObjects):
    component = "common-object-detection-metrics"
    expected: ClassVar[Any] = {
        **{name: pytest.approx(51 / 101) for name in ("AP@50..95", "AP@50", "AP@75", "AP-S")},
        **{name: pytest.approx(0.5) for name in ("AR-1", "AR-10", "AR-100", "AR-S")},
        **dict.fromkeys(("AP-M", "AP-L", "AR-M", "AR-L"), -1.0),
    }

    def make(self) -> m.CommonObjectDetectionMetrics:
        return m.CommonObjectDetectionMetrics(num_classes=2)

    def test_its_value_is_found_under_its_name_and_is_the_expected_one(self) -> None:
        assert self.value(self._after_a_run()) == self.expected


class TestTorchMetric(OfPairs):
    component = "torch-metric"
    y_pred, y = torch.tensor([[1.0, 2.0, 3.0, 5.0], [1.0, 1.0, 1.0, 1.0]])
    expected = 1.75

    def make(self) -> m.TorchMetric:
        return m.TorchMetric(MeanAbsoluteError())


class Clock:
    """Says how much time the work of all runs took so far."""

    now: ClassVar[float] = 0.0

    def __call__(self) -> float:
        return Clock.now


class TestFrequency(MetricContract):
    component = "frequency"
    expected = (0.5 + 2.0 + 1.0 + 4.0) / (4 * 0.25)

    def make(self) -> m.Frequency:
        return m.Frequency(clock=Clock())

    def step(self, engine: Engine[Any, Any], batch: float) -> float:
        Clock.now += 0.25
        return batch


@pytest.fixture(scope="class")
def driver() -> Iterator[None]:
    """NVIDIA's library, with what it says where there is one GPU."""
    library = ModuleType("pynvml")
    answers: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(used=100, total=400),
        "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=60),
        "NVMLError": OSError,
        "NVMLError_NotSupported": NotImplementedError,
    }
    vars(library).update(answers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pynvml", library)
        yield


@pytest.mark.usefixtures("driver")
class TestGpuInfo(MetricContract):
    component = "gpu-info"
    expected: ClassVar[Any] = {"metric:0 mem(%)": 25, "metric:0 util(%)": 60}

    def make(self) -> m.GpuInfo:
        return m.GpuInfo()

    def value(self, engine: Engine[Any, Any]) -> Any:
        return dict(engine.state.metrics)
