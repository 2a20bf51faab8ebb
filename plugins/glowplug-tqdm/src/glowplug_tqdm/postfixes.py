"""What stands beside the bar.

Owns: values of an engine and of an optimizer, under the names that they have beside the bar.
Must not know: bars, or when they are drawn.
"""

from __future__ import annotations

from typing import Any, ClassVar

from glowplug import Engine
from glowplug_loggers import BaseOptimizerParamsHandler, BaseOutputHandler


class OutputPostfix(BaseOutputHandler):
    """Metrics, the output and attributes of the state, named like ``loss`` and ``per_class_0``."""

    separator: ClassVar[str] = "_"
    texts: ClassVar[bool] = True

    def __call__(self, engine: Engine[Any, Any], logger: Any, event_name: Any) -> None:
        """Show the values of now until the next time."""
        logger.show(engine, self.values(engine))


class OptimizerParamsPostfix(BaseOptimizerParamsHandler):
    """Parameters of an optimizer, named like ``lr_group_0``."""

    def __call__(self, engine: Engine[Any, Any], logger: Any, event_name: Any) -> None:
        """Show the values of now until the next time."""
        logger.show(engine, {k.replace("/", "_"): v for k, v in self.values().items()})
