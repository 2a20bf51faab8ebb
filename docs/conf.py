"""How sphinx builds this documentation.

Owns: the settings of sphinx and its extensions.
Must not know: what the pages say.
"""

from __future__ import annotations

from importlib import metadata

project = "glowplug"
author = "The glowplug developers"
copyright = "the glowplug developers"
release = metadata.version("glowplug")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "examples"]  # an example is a package of its own

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # an annotated attribute is described already

html_theme = "furo"
html_title = f"glowplug {release}"
