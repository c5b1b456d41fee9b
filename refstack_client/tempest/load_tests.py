"""Let stestr's workers load only the modules of the wanted tests.

A worker that loads all of Tempest and its plugins takes longer to start than many a test runs. The
workspace has a module that stestr discovers, with nothing but this ``load_tests`` in it.
"""

import importlib
import os
import unittest
from pathlib import Path

from capabilities import tempest_id
from capabilities.tempest_id import class_of
from refstack_client.tempest import worker_accounts

LOAD_LIST = "load-list"
MODULE = "from refstack_client.tempest.load_tests import load_tests\n"


def load_tests(
    loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Load the modules of the tests in the load list, by unittest's load_tests protocol."""
    directory = Path(os.environ["TEMPEST_CONFIG_DIR"])
    worker_accounts.claim(directory, os.environ)  # before a module of Tempest reads tempest.conf
    lines = (directory / LOAD_LIST).read_text(encoding="utf-8")
    wanted = (tempest_id.parse(line) for line in lines.splitlines())
    modules = dict.fromkeys(class_of(test.class_name) for test in wanted if test)
    suite = unittest.TestSuite()
    for name in modules:
        suite.addTests(loader.loadTestsFromModule(importlib.import_module(name)))
    return suite
