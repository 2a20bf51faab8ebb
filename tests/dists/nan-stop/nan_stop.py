"""A third-party handler: it imports neither glowplug nor pluggy."""

import math
from typing import Any


class NanStop:
    """End the run when the output is not a number."""

    def attach(self, engine: Any) -> None:
        engine.add_event_handler("ITERATION_COMPLETED", self)

    def __call__(self, engine: Any) -> None:
        if math.isnan(engine.state.output):
            engine.terminate()
