"""Every departure of metrics from pytorch-ignite's is shown by an expression that both evaluate."""

from __future__ import annotations

import sys

import pytest
from parity.metric_departures import METRIC_DEPARTURES, MetricDeparture
from parity.metric_libraries import OURS, THEIRS

# pytorch-ignite indexes tensors by lists, of which torch warns
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
EACH = pytest.mark.parametrize(
    "departure", METRIC_DEPARTURES, ids=lambda departure: departure.sentence
)


@EACH
def test_glowplug_makes_of_an_expression_what_is_said(departure: MetricDeparture) -> None:
    assert OURS.outcome(departure.code) == departure.ours


@EACH
def test_pytorch_ignite_makes_of_an_expression_what_is_said(departure: MetricDeparture) -> None:
    assert THEIRS.outcome(departure.code) == departure.theirs


@EACH
def test_an_expression_shows_a_difference(departure: MetricDeparture) -> None:
    assert departure.ours != departure.theirs


@pytest.mark.parametrize("name", ["ROC_AUC", "AveragePrecision", "SpearmanRankCorrelation"])
def test_no_further_library_is_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("sklearn", "scipy"):
        monkeypatch.setitem(sys.modules, library, None)
        for module in [known for known in sys.modules if known.startswith(f"{library}.")]:
            monkeypatch.setitem(sys.modules, module, None)
    assert OURS.outcome(f"isinstance({name}(), Metric)") == "True"
    assert THEIRS.outcome(f"{name}()") == "ModuleNotFoundError"
