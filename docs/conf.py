"""How the documentation is built: ``make docs``."""

import logging
import os
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent / "_ext"))
# Defaults that name a directory of the user are the same on every machine that builds the pages.
os.environ["HOME"] = "/home/alice"
for name in [name for name in os.environ if name.startswith(("XDG_", "OS_", "REFSTACK_"))]:
    del os.environ[name]

for name in ("matplotlib", "reno"):
    logging.getLogger(name).setLevel(logging.WARNING)

project = "refstack-client"
author = "the refstack-client developers"
release = metadata.version("refstack-client")

extensions = ["cliff.sphinxext", "sphinx.ext.autodoc", "refstack_docs"]
# Release notes belong to the versions of the git history, which an archive of the source lacks.
if (ROOT / ".git").exists():
    extensions.append("reno.sphinxext")
exclude_patterns = ["examples", "_ext"]
nitpicky = False

autoprogram_cliff_application = "refstack-client"
autoprogram_cliff_ignored = ["--help"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"

# openstackdocstheme, the theme of OpenStack's own projects, is not used: its pages load scripts
# from other hosts and carry the header of docs.openstack.org, and it warns (here: fails) where
# the source is not a git checkout. Pages of furo fetch nothing.
html_theme = "furo"
html_title = "refstack-client"
html_static_path = ["_static"]
html_css_files = ["terminal.css"]
html_show_copyright = False
html_copy_source = False
highlight_language = "none"
smartquotes = False
