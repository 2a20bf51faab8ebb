"""Where the metrics of glowplug depart from pytorch-ignite's on purpose.

Owns: the list: a sentence, an expression, and what each library makes of it.
Must not know: how either makes it.

pytorch-ignite 0.5.5 is meant.
"""

from __future__ import annotations

from typing import NamedTuple


class MetricDeparture(NamedTuple):
    """A difference that is meant, and an expression that shows it on either library.

    Args:
        sentence: what glowplug does.
        code: the expression.
        ours: what glowplug makes of it, or the name of its error.
        theirs: what pytorch-ignite makes of it, or the name of its error.
    """

    sentence: str
    code: str
    ours: str
    theirs: str


HALF = "(A([1, 0]), A([1, 1]))"
MANY = "*100 * [(A([1.0]), A([0.0]))]"
FAR = "(A([1e6, 1e6 + 1, 1e6 + 2]), A([1e6, 1e6 + 1, 1e6 + 3]))"
IMAGES = "(torch.eye(8).view(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))"

METRIC_DEPARTURES = (
    MetricDeparture(
        "A misspelt attribute is an error, not a new metric; `apply` asks a value for what it has.",
        "callable(Accuracy().compte)",
        ours="AttributeError",
        theirs="True",
    ),
    MetricDeparture(
        "A metric is not iterated, which would never end.",
        "isinstance(next(iter(Precision())), Metric)",
        ours="TypeError",
        theirs="True",
    ),
    MetricDeparture(
        "Every operator of arithmetic makes a metric: the signs and `@` too.",
        f"of(-Accuracy(), {HALF})",
        ours="-0.5",
        theirs="TypeError",
    ),
    MetricDeparture(
        "Making something of a metric does not reset it: neither arithmetic nor a running average.",
        f"(metric := fed(Accuracy(), {HALF}), 1 - metric)[0].compute()",
        ours="0.5",
        theirs="NotComputableError",
    ),
    MetricDeparture(
        "A metric whose state is loaded goes on inside the epoch; it is not reset by the run that "
        "goes on.",
        "resumed(MeanError, [(A([0.0]), A([float(i)])) for i in range(4)], done=2)",
        ours="1.5",
        theirs="0.5",
    ),
    MetricDeparture(
        "Sums are kept in float64, so that a long run loses no digits; in float32, a hundred "
        "errors of 1 beside one of 2²⁴ are nothing.",
        f"of(ManhattanDistance(), (A([2.0**24]), A([0.0])), {MANY}) - 2**24",
        ours="100",
        theirs="0",
    ),
    MetricDeparture(
        "Means, variances and correlations of numbers far from 0 are right: this R² is 0.7857.",
        f"abs(of(R2Score(), {FAR}) - 0.7857) < 0.001",
        ours="True",
        theirs="False",
    ),
    MetricDeparture(
        "So is Pearson's correlation, which is 1 for equal numbers.",
        "abs(of(PearsonCorrelation(), 2 * (A([1e6, 1e6 + 1, 1e6 + 2]),)) - 1) < 0.001",
        ours="True",
        theirs="False",
    ),
    MetricDeparture(
        "Absolute, squared and root mean squared errors of arrays are means over all their "
        "numbers, not sums of rows.",
        "of(MeanSquaredError(), (torch.zeros(2, 3), torch.ones(2, 3)))",
        ours="1",
        theirs="3",
    ),
    MetricDeparture(
        "The greatest error of arrays is that of all their numbers.",
        "of(MaximumAbsoluteError(), (torch.zeros(2, 3), torch.ones(2, 3)))",
        ours="1",
        theirs="ValueError",
    ),
    MetricDeparture(
        "Shapes that do not fit are an error that names the metric, also where they could be "
        "broadcast.",
        "of(MeanSquaredError(), (torch.ones(3), torch.zeros(3, 1, 1)))",
        ours="InvalidArgument",
        theirs="1",
    ),
    MetricDeparture(
        "Differences of whole numbers do not wrap around.",
        "of(MeanAbsoluteError(), (A([1], dtype=torch.uint8), A([255], dtype=torch.uint8)))",
        ours="254",
        theirs="2",
    ),
    MetricDeparture(
        "NaN stays in the value.",
        "of(MaximumAbsoluteError(), (A([torch.nan]), A([1.0])), (A([2.0]), A([1.0])))",
        ours="nan",
        theirs="1",
    ),
    MetricDeparture(
        "Two zeros are at fractional error 0, as at Canberra distance 0.",
        "of(FractionalAbsoluteError(), (A([0.0, 1.0]), A([0.0, 2.0])))",
        ours="0.3333",
        theirs="nan",
    ),
    MetricDeparture(
        "A class of probability 0, whose score is minus infinity, adds nothing to an entropy or a "
        "divergence.",
        "of(KLDivergence(), 2 * (A([[0.0, -torch.inf]]),))",
        ours="0",
        theirs="nan",
    ),
    MetricDeparture(
        "R² of equal targets is 1 where they are met, and 0 elsewhere, as for scikit-learn.",
        "of(R2Score(), (A([1.0, 1.0]), A([1.0, 1.0])))",
        ours="1",
        theirs="ZeroDivisionError",
    ),
    MetricDeparture(
        "A target that is no class is a miss, as for scikit-learn.",
        "of(Precision(), (torch.eye(3), A([0, 1, -1])))",
        ours="[1, 1, 0]",
        theirs="RuntimeError",
    ),
    MetricDeparture(
        "A target whose score is NaN is not among the k greatest.",
        "of(TopKCategoricalAccuracy(2), (A([[torch.nan, 1.0, 0.0]]), A([0])))",
        ours="0",
        theirs="1",
    ),
    MetricDeparture(
        "There is a report of binary predictions, with a row for each class.",
        f"of(ClassificationReport(output_dict=True), {HALF})['1']['recall']",
        ours="0.5",
        theirs="TypeError",
    ),
    MetricDeparture(
        "Structural similarity is scikit-image's: of the windows that lie inside the images.",
        f"of(SSIM(1.0, kernel_size=3), {IMAGES})",
        ours="0.3334",
        theirs="0.4688",
    ),
    MetricDeparture(
        "Images smaller than a window are refused.",
        f"of(SSIM(1.0), {IMAGES})",
        ours="InvalidArgument",
        theirs="0.0125",
    ),
    MetricDeparture(
        "Groups may come as a list, of whatever they are called.",
        f"of(SubgroupMetric(Accuracy(), ['a', 'b']), (*{HALF}, ['a', 'b']))",
        ours="{'a': 1.0, 'b': 0.0}",
        theirs="AttributeError",
    ),
)
