"""The WSGI application that SANDBOX_APPLICATION names (module:attribute), on a patient SQLite."""

import importlib
import os

import sqlite_patience

sqlite_patience.install()
_module, _, _attribute = os.environ["SANDBOX_APPLICATION"].partition(":")
application = getattr(importlib.import_module(_module), _attribute)
