"""Which request a run is resumed with, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.making import make_run

from refstack_client.errors import InputError, UsageError
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.outcomes.run_directory import Mode
from refstack_client.planning.shard import Shard
from refstack_client.running.resume import Resumption, resumption
from refstack_client.tempest.concurrency import Workers


@pytest.fixture
def asked(tmp_path: Path) -> Resumption:
    return Resumption(make_run(tmp_path / "runs", shard=Shard(1, 2)), tmp_path)


def record(asked: Resumption, **options: object) -> None:
    """Write other options into the request of the run."""
    path = asked.run.request
    path.write_text(json.dumps({**json.loads(path.read_text()), **options}))


def test_a_run_is_resumed_with_its_own_options_unless_others_are_given(asked):
    record(asked, os_cloud="mycloud", accounts="/a.yaml", settings=["a.b=c"], quick=True)
    request = resumption(asked)
    assert (request.programme.key, str(request.shard)) == ("storage", "1/2")
    assert request.programme.guideline.id == "2020.06"
    assert (request.os_cloud, request.accounts_file) == ("mycloud", Path("/a.yaml"))
    assert (request.settings, request.quick) == ((("a", "b", "c"),), True)
    assert (request.mode, request.resumed, request.workers) == (Mode.NO_OUTCOME, asked.run, None)
    given = replace(asked, os_cloud="other", workers=Workers(3), settings=["d.e=f"])
    request = resumption(given)
    assert (request.os_cloud, request.workers, request.settings) == (
        "other",
        Workers(3),
        (("d", "e", "f"),),
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("guideline", "2019.11", r"is a run of guideline 2020\.06 \(\w+\), not of 2019\.11"),
        ("programme", "compute", "is a run of storage, not of compute"),
        ("shard", "2/2", "is a run of shard 1/2, not of shard 2/2"),
    ],
)
def test_another_guideline_programme_or_part_is_refused(asked, option, value, message):
    with pytest.raises(InputError, match=message) as raised:
        resumption(replace(asked, **{option: value}))
    assert raised.value.hint == f"leave out --{option}, or start a new run"


def test_the_same_guideline_programme_and_part_may_be_named(asked):
    resumption(replace(asked, guideline="2020.06", programme="storage", shard="1/2"))


def test_failed_tests_run_again_as_often_as_the_budget_allows(asked):
    again = replace(asked, mode=Mode.FAILED)
    assert resumption(again).mode is Mode.FAILED
    with pytest.raises(UsageError, match="run again 0 times and the retry budget is 0"):
        resumption(replace(again, retry_budget=0))


def test_a_secret_setting_is_given_again(asked):
    record(asked, settings=[f"identity.admin_password={HIDDEN}", "a.b=c"])
    with pytest.raises(UsageError, match="secret settings") as raised:
        resumption(asked)
    assert "--set identity.admin_password, a.b" in raised.value.hint
    assert resumption(replace(asked, settings=["a.b=c"])).settings == (("a", "b", "c"),)


def test_what_is_no_run_is_refused(tmp_path, asked):
    with pytest.raises(InputError):
        resumption(replace(asked, run=replace(asked.run, directory=tmp_path / "absent")))
