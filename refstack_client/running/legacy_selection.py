"""Which tests ``test`` runs: those of a list, or those that arguments of ``tempest run`` select."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from capabilities import flat_list
from capabilities.matching import Index, match
from refstack_client.errors import InputError, UsageError
from refstack_client.files import read_bytes

API_TESTS = r"^tempest\.api\."
SMOKE = r"\[(.*,)?smoke[,\]]"
"""Full ids of smoke tests: ``smoke`` is one of the attributes in the brackets."""


@dataclass(frozen=True)
class Selection:
    """Tests by regular expressions, which are searched for in full ids, as ``tempest run`` does.

    :param regexes: a test matches one of them; none for all
    :param include_list: path of a file with more of them, one per line
    :param exclude_regex: a test does not match it; "" for none
    :param exclude_list: path of a file with more of those
    """

    regexes: tuple[str, ...] = ()
    include_list: Path | None = None
    exclude_regex: str = ""
    exclude_list: Path | None = None


def of_list(index: Index, content: bytes, name: str, show: Callable[[str], None]) -> list[str]:
    """Return the full ids of listed tests, found by their idempotent id or name.

    :param name: path or URL of the list
    :param show: called with a sentence for each test that the installed Tempest does not have
    :raises GuidelineError: a line is not a test
    """
    guideline, _ = flat_list.parse(content.decode("utf-8-sig"), Path(name).stem, name)
    found: dict[str, None] = {}
    for test in (test for entry in guideline.capabilities.values() for test in entry.tests):
        matched = match(test, index)
        if not matched.found:
            show(f"the installed Tempest does not have the test {test.name}")
        found.update(dict.fromkeys(test.full for test in matched.found))
    return list(found)


def of_selection(index: Index, selection: Selection) -> list[str]:
    """Return the full ids of the tests that match.

    :raises UsageError: a regular expression is not valid
    :raises InputError: a line of a file is not one, or the file cannot be read
    """
    wanted = [_compiled(text) for text in selection.regexes]
    wanted += _of_file(selection.include_list)
    unwanted = _of_file(selection.exclude_list)
    if selection.exclude_regex:
        unwanted.append(_compiled(selection.exclude_regex))
    if not wanted:
        wanted = [re.compile("")]
    full_ids = dict.fromkeys(test.full for test in index.tests)
    return [full for full in full_ids if _matches(full, wanted) and not _matches(full, unwanted)]


def _matches(full: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    return any(pattern.search(full) for pattern in patterns)


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"{text} is not a regular expression: {error}") from error


def _of_file(path: Path | None) -> list[re.Pattern[str]]:
    """Return the regular expressions in a file, without comments after ``#``."""
    if path is None:
        return []
    found = []
    lines = read_bytes(path).decode("utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if text := line.partition("#")[0].strip():
            try:
                found.append(re.compile(text))
            except re.error as error:
                raise InputError(
                    f"{path}:{number}: {text} is not a regular expression: {error}"
                ) from error
    return found
