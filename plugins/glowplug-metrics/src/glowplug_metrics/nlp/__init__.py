"""Metrics of texts: of translations, summaries, transcripts and language models.

Owns: the public names of this package.
Must not know: how any of them is worked out.
"""

from __future__ import annotations

from glowplug_metrics.nlp.bleu import Bleu
from glowplug_metrics.nlp.characters import CharacterErrorRate
from glowplug_metrics.nlp.perplexity import Perplexity
from glowplug_metrics.nlp.rouge import Rouge, RougeL, RougeN
from glowplug_metrics.nlp.sentences import SentencesMetric

__all__ = [
    "Bleu",
    "CharacterErrorRate",
    "Perplexity",
    "Rouge",
    "RougeL",
    "RougeN",
    "SentencesMetric",
]
