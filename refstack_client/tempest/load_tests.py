"""What stestr's workers load: the modules of the wanted tests, not all of Tempest and its plugins.

Each worker would import them all before its first test, which takes longer than many a test. The
workspace has a module that stestr finds, with nothing but this ``load_tests`` in it.
"""

import importlib
import os
import unittest
from pathlib import Path

from capabilities import tempest_id
from capabilities.tempest_id import class_of

LOAD_LIST = "load-list"
MODULE = "from refstack_client.tempest.load_tests import load_tests\n"


def load_tests(
    loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    """Load the modules of the load list; unittest's protocol for what a module has to offer."""
    listed = Path(os.environ["TEMPEST_CONFIG_DIR"], LOAD_LIST).read_text(encoding="utf-8")
    found = (tempest_id.parse(line) for line in listed.splitlines())
    modules = dict.fromkeys(class_of(test.class_name) for test in found if test)
    suite = unittest.TestSuite()
    for name in modules:
        suite.addTests(loader.loadTestsFromModule(importlib.import_module(name)))
    return suite
