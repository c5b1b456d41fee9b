"""The users that test classes borrow, read from Tempest's source."""

import ast

from refstack_client.planning import test_source


def has_two_projects(class_name: str) -> bool:
    """Return whether a test class borrows users of two projects at a time.

    True too if its credentials are not known, as for a class that does not exist.
    """
    test_class = test_source.find(class_name)
    value = test_class.value("credentials") if test_class else None
    return not isinstance(value, ast.List) or any(
        isinstance(node, ast.Constant) and "alt" in str(node.value) for node in ast.walk(value)
    )
