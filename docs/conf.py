"""Build the documentation: pages in Markdown, the reference from docstrings, contracts and the command line."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from made_pages import write_made_pages

project = "sexstrat"
author = copyright = "The sexstrat authors"  # noqa: A001  (Sphinx asks for this name)
release = metadata.version("sexstrat")  # the name version would be read as a setting of Sphinx
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "descriptions",
]
myst_enable_extensions = ["colon_fence"]  # no formulas: they would be set by a script from the network
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_attr_annotations = False  # types stand in signatures
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = f"sexstrat {release}"
exclude_patterns = ["_build"]
nitpicky = False
suppress_warnings = ["ref.python"]  # a parameter called n is no link, however many classes have a field n

write_made_pages(Path(__file__).parent / "reference" / "made")
