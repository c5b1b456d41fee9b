"""What stands after ``--`` selects tests as ``tempest run`` does."""

import re

import pytest

from capabilities import tempest_id
from capabilities.matching import Index
from refstack_client.cli.options import tempest_run
from refstack_client.errors import InputError, UsageError
from refstack_client.running import legacy_selection

API = "tempest.api.identity.v3.test_tokens.TokensV3Test"
TESTS = (
    f"{API}.test_create_token[id-6f8e4436-fc96-4282-8122-e41df57197a9]",
    f"{API}.test_validate_token[id-a9512ac3-3909-48a4-b395-11f438e16260,smoke]",
    "tempest.api.object_storage.test_x.C.test_y[id-11111111-1111-1111-1111-111111111111,a]",
    "tempest.scenario.test_z.D.test_smoke_alarm[id-22222222-2222-2222-2222-222222222222,slow]",
)
CREATE, VALIDATE, SWIFT, SCENARIO = (name.partition("[")[0].rpartition(".")[2] for name in TESTS)
INDEX = Index.of(filter(None, map(tempest_id.parse, TESTS)))


def selected(*words: str) -> list[str]:
    found = legacy_selection.of_selection(INDEX, tempest_run.parse(words).selection)
    return [full.partition("[")[0].rpartition(".")[2] for full in found]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), [CREATE, VALIDATE, SWIFT]),
        (("--regex", "TokensV3Test"), [CREATE, VALIDATE]),
        (("--regex", r"(tempest\.api\.object_storage|tempest\.scenario)\."), [SWIFT, SCENARIO]),
        (("--regex", r"(?!.*slow)(^tempest\.(api|scenario))"), [CREATE, VALIDATE, SWIFT]),
        (("-r", "id-11111111"), [SWIFT]),
        (("--regex=test_(create|validate)_token",), [CREATE, VALIDATE]),
        (("tempest.api.object_storage",), [SWIFT]),
        (("TokensV3Test.test_create", "test_y"), [CREATE, SWIFT]),
        (("-n", f"{API}.test_create_token"), [CREATE]),
        (("--smoke",), [VALIDATE]),
        (("--exclude-regex", "slow|Tokens"), [SWIFT]),
        (("--regex", "tempest", "--black-regex", r"\[.*smoke"), [CREATE, SWIFT, SCENARIO]),
        (("--serial", "--slowest", "--regex", "test_y"), [SWIFT]),
    ],
)
def test_tests_are_selected_by_regular_expressions(words, names):
    assert selected(*words) == names


@pytest.mark.parametrize("option", ["--whitelist_file", "--whitelist-file", "--include-list"])
def test_a_file_lists_regular_expressions_with_comments(tmp_path, option):
    path = tmp_path / "wanted.txt"
    path.write_text(f"# two\n{re.escape(API)}.test_create # one\n\ntest_y\\[\n")
    assert selected(option, str(path)) == [CREATE, SWIFT]


@pytest.mark.parametrize("option", ["--blacklist_file", "--blacklist-file", "--exclude_list"])
def test_a_file_lists_what_is_left_out(tmp_path, option):
    path = tmp_path / "unwanted.txt"
    path.write_text("smoke\n")
    assert selected("--regex", "tempest.api", option, str(path)) == [CREATE, SWIFT]


def test_the_number_of_workers_is_read():
    parse = tempest_run.parse
    assert (parse(()).concurrency, parse(()).parallel) == (None, None)
    assert parse(("--concurrency", "3")).concurrency == 3
    assert parse(("-w", "2", "--parallel")).parallel is True
    assert parse(("--concurrency", "0")).concurrency is None
    assert parse(("--serial",)).parallel is False
    assert parse(("--load-list=list.txt",)).load_list == "list.txt"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("--list-tests",), "--list-tests is not available", "guideline tests"),
        (("--subunit",), "--subunit is not available", "stream.subunit"),
        (("--worker-file=w.yaml",), "--worker-file=w.yaml is not available", "--concurrency N"),
        (("--workspace", "mine"), "--workspace is not available", "-c FILE"),
        (("--combine",), "--combine is not available", "refstack-client merge"),
        (("--colour",), "unrecognized arguments: --colour", "--exclude-regex"),
        (("--regex",), "expected one argument", "after -- are tests"),
        (("--regex", "test_("), "test_( is not a regular expression: missing )", ""),
    ],
)
def test_what_is_not_available_is_reported_with_what_replaces_it(words, message, hint):
    with pytest.raises(UsageError) as caught:
        selected(*words)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_line_that_is_not_a_regular_expression_is_named(tmp_path):
    path = tmp_path / "wanted.txt"
    path.write_text("good\n# (\nbad[\n")
    with pytest.raises(InputError, match=r"wanted\.txt:3: bad\[ is not a regular expression"):
        selected("--include-list", str(path))
