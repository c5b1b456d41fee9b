"""Read YAML that people write.

An error names the place and does not show the text, which may have secrets.
"""

import re
from typing import Any

import yaml

_QUOTES = re.compile(r"(?P<quote>['\"]).{3,}(?P=quote)")
_NOT_A_VALUE = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What PyYAML raises besides its own errors where a tag such as ``!!int`` has another value."""


class InvalidYamlError(ValueError):
    """Text is not valid YAML; the message is the place and the reason, in one line."""


def load(content: bytes | str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """Return the document in a text.

    :raises InvalidYamlError: it is not valid YAML
    """
    try:
        return yaml.load(content, Loader=loader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, RecursionError, *_NOT_A_VALUE) as error:
        raise InvalidYamlError(_reason(error)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        problem = _QUOTES.sub("…", error.problem or "unexpected")
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"position {error.position}: {error.reason}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a value is malformed"
