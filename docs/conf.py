"""Configuration of Sphinx. The site needs no network, neither to be built nor to be read."""

import functools
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import docstrings
import numpy as np
import reference_pages
from docutils import nodes
from jupyter_client import KernelManager
from numpy.typing import ArrayLike, NDArray
from sphinx import addnodes
from sphinx.util.typing import stringify_annotation

from fastcollapse import __version__

project = "fastcollapse"
author = "The fastcollapse developers"
copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_click",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "sphinx-mathjax-offline",
]
exclude_patterns = ["_build", "paper", "examples", "**/.ipynb_checkpoints"]
highlight_language = "text"
# Two hyphens of an option stay two hyphens.
smartquotes = False
nitpicky = True
# Types of signatures: those of other packages have no pages here, and some of this one are internal.
nitpick_ignore_regex = [("py:(class|obj|data|exc|attr|meth|mod)", ".*")]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
myst_links_external_new_tab = True
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_execution_cache_path = str(Path(__file__).parent / "_build" / "notebooks")
# Newer kernels print a warning for each notebook if their connection is not encrypted.
if hasattr(KernelManager, "transport_encryption"):
    KernelManager.transport_encryption.default_value = "auto"

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
bibtex_bibfiles = [path for path in ["../data/references.bib"] if (Path(__file__).parent / path).exists()]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

html_theme = "pydata_sphinx_theme"
html_title = f"fastcollapse {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
# Pages without other pages in their section.
html_sidebars = {"index": [], "gallery/index": []}
html_theme_options = {
    "logo": {"text": project},
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}


def _docstring(app, what, name, value, options, lines):
    lines[:] = docstrings.as_rst("\n".join(lines)).splitlines()


def _source(app, name, source):
    source[0] = reference_pages.relinked(name, source[0])


# Names of types that annotations of NumPy spell out.
_TYPES = {
    stringify_annotation(ArrayLike, "smart"): "ArrayLike",
    **{stringify_annotation(NDArray[kind], "smart"): f"NDArray[{kind.__name__}]" for kind in (np.float64, np.int64)},
}


def _signature(app, what, name, value, options, signature, returns):
    def shortened(text):
        return text and functools.reduce(lambda one, pair: one.replace(*pair), _TYPES.items(), text)

    return shortened(signature), shortened(returns)


def _link_names(app, doctree, page):
    """Let names of the package that stand alone in code lead to their entry; on pages of theory also without a path."""
    entries = app.env.domaindata["py"]["objects"]
    short = {}
    for name, entry in entries.items():
        if name.startswith("fastcollapse.theory.") and not entry.aliased:
            short.setdefault(name.rpartition(".")[2], []).append(name)
    is_theory = page.startswith(("explanation/", "notebooks/"))
    for node in list(doctree.findall(nodes.literal)):
        if isinstance(node.parent, (nodes.reference, nodes.title, addnodes.pending_xref)) or "generated" in page:
            continue
        text = node.astext().removesuffix("()")
        found = [text] if text in entries else short.get(text, []) if is_theory else []
        if len(found) == 1 and text.isascii():
            entry = entries[found[0]]
            target = app.builder.get_relative_uri(page, entry.docname) + f"#{entry.node_id}"
            reference = nodes.reference("", "", internal=True, refuri=target)
            node.replace_self(reference)
            reference += node


def _highlight_commands(app, doctree):
    """Colour blocks without a language as commands if they begin with one; others are output."""
    for block in doctree.findall(nodes.literal_block):
        if block.get("language") == "text" and (found := re.match(r"(\$)|fastcollapse |make |pip ", block.astext())):
            block["language"] = "console" if found[1] else "bash"


def _description(app, context, lines):
    """Show example commands as blocks that can be copied, and names between backticks as code; keep |z|."""
    found, is_block = [], False
    for line in lines:
        if line.startswith("| "):
            found += [*([] if is_block else [".. code-block:: bash", ""]), f"   {line[2:]}"]
        else:
            found.append(re.sub(r"`([^`]+)`", r"``\1``", re.sub(r"\|(\w+)\|", r"\\|\1\\|", line)))
        is_block = line.startswith("| ")
    lines[:] = found


def setup(app):
    """Write the generated pages, and connect the handlers."""
    app.connect("autodoc-process-docstring", _docstring, priority=100)
    app.connect("autodoc-process-signature", _signature)
    app.connect("sphinx-click-process-description", _description)
    app.connect("sphinx-click-process-options", _description)
    app.connect("source-read", _source)
    app.connect("doctree-read", _highlight_commands)
    app.connect("doctree-resolved", _link_names)
    reference_pages.write()
