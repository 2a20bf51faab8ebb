"""Progress bars for glowplug.

Owns: the public name of glowplug-tqdm.
Must not know: how bars work, or torch.
"""

from __future__ import annotations

from glowplug_tqdm.progress import ProgressBar

__all__ = ["ProgressBar"]
