"""What every glowplug experiment logger shares.

Owns: the public names of glowplug-loggers.
Must not know: any particular logger, or torch.
"""

from __future__ import annotations

from glowplug_loggers.attachments import Attachment
from glowplug_loggers.errors import ClosedLogger, LoggerWarning
from glowplug_loggers.handlers import BaseHandler, BaseOptimizerParamsHandler
from glowplug_loggers.logger import BaseLogger
from glowplug_loggers.outputs import BaseOutputHandler
from glowplug_loggers.ranks import is_first_rank
from glowplug_loggers.weights import BaseWeightsHandler, BaseWeightsScalarHandler, norm

__all__ = [
    "Attachment",
    "BaseHandler",
    "BaseLogger",
    "BaseOptimizerParamsHandler",
    "BaseOutputHandler",
    "BaseWeightsHandler",
    "BaseWeightsScalarHandler",
    "ClosedLogger",
    "LoggerWarning",
    "is_first_rank",
    "norm",
]
