"""The WSGI application that SANDBOX_APPLICATION names (module:attribute), with write locks."""

import importlib
import os

import sqlite_write_lock

sqlite_write_lock.install()
_module, _, _attribute = os.environ["SANDBOX_APPLICATION"].partition(":")
application = getattr(importlib.import_module(_module), _attribute)
