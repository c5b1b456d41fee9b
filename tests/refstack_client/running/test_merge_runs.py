"""Runs joined into one."""

import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import subunit
from support.making import BEGIN, FACTS, NAMES, make_run

from refstack_client.bundle import archive, pack
from refstack_client.bundle import verify as bundle_verify
from refstack_client.cli.app import main
from refstack_client.outcomes import run_attempts, run_directory, subunit_stream
from refstack_client.planning.selection import Shard
from refstack_client.running import run_recorder

PARTS = (Shard(1, 2), Shard(2, 2))


def merge(place: Path, *runs: run_directory.Run) -> int:
    given = [str(each.directory) for each in runs]
    return main(["merge", *given, "--output", str(place / "merged")])


def merged(place: Path) -> run_directory.Run:
    (made,) = (place / "merged").iterdir()
    return run_directory.Run(made)


def test_all_parts_together_give_the_verdict_of_the_whole(tmp_path, capsys):
    assert merge(tmp_path, *(make_run(tmp_path, shard=each) for each in PARTS)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"
    )
    plan = run_directory.read_plan(merged(tmp_path))[1]
    assert [part.shard for part in plan.merged] == ["1/2", "2/2"]


def test_a_missing_part_is_told_and_its_tests_are_not_run(tmp_path, capsys):
    assert merge(tmp_path, make_run(tmp_path, shard=PARTS[0])) == 3
    told = capsys.readouterr()
    assert "shard 2/2 is missing: its tests have the outcome not-run" in told.err
    assert "INCOMPLETE" in told.out.splitlines()[-1]
    verdict = json.loads(merged(tmp_path).verdict.read_text())
    assert verdict["required"]["not_run"] == 58 - verdict["required"]["passed"] > 0


def test_overlaps_keep_all_attempts_and_the_last_in_time_decides(tmp_path):
    name = NAMES[0]
    early = make_run(tmp_path, lambda each: "fail" if each == name else "success", facts=FACTS)
    late = make_run(tmp_path, started=BEGIN + timedelta(hours=1))
    assert merge(tmp_path, late, early) == 0
    outcomes = subunit_stream.read_appended(merged(tmp_path).stream)
    mine = [str(each.outcome) for each in outcomes.attempts if each.test.full == name]
    assert mine == ["fail", "pass"]
    assert len(outcomes.attempts) == 2 * 58
    shutil.rmtree(tmp_path / "merged")
    early = make_run(tmp_path / "other", started=BEGIN - timedelta(hours=1))
    late = make_run(tmp_path, lambda each: "fail" if each == name else "success")
    assert merge(tmp_path, early, late) == 1


def test_what_was_asked_and_retried_adds_up(tmp_path):
    runs = [make_run(tmp_path, shard=each) for each in PARTS]
    for record in ({"mode": "failed", "asked": 1, "retry_budget": 3}, {"ended": "now"}):
        common = {"attempt": 2, "workspace": "/w", "started": "2026-02-01T00:00:00+00:00"}
        run_recorder.keep_attempt(runs[1], {**common, **record})
    merge(tmp_path, *runs)
    assert run_directory.retries(merged(tmp_path)) == run_attempts.Retries(1, 3)
    assert [each.number for each in run_directory.attempts(merged(tmp_path))] == [1, 2, 3]
    assert not run_recorder.cut_off(tmp_path / "merged")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"versions": {"tempest": "46.0.0"}}, "tempest was 47.0.0, now 46.0.0"),
        ({"facts": replace(FACTS, auth_url="https://other/v3")}, "auth_url was https://keystone"),
        ({"facts": replace(FACTS, region="RegionTwo")}, "region was RegionOne, now RegionTwo"),
    ],
)
def test_runs_that_differ_are_refused(tmp_path, capsys, change, told):
    runs = [make_run(tmp_path), make_run(tmp_path, **change)]
    assert merge(tmp_path, *runs) == 4
    assert told in capsys.readouterr().err
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("guideline", "sha256"), "0" * 64, "the guideline was 2020.06"),
        (("programme",), "compute", "the programme was storage, now compute"),
        (("tests", 3, "found"), [], "the plan has another test for tempest."),
    ],
)
def test_plans_that_differ_are_refused(tmp_path, capsys, path, value, told):
    runs = [make_run(tmp_path), make_run(tmp_path)]
    document = json.loads(runs[1].plan.read_text())
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    runs[1].plan.write_text(json.dumps(document))
    assert merge(tmp_path, *runs) == 4
    assert told in capsys.readouterr().err


def test_a_run_given_twice_in_use_or_that_is_none_is_refused(tmp_path, capsys):
    made = make_run(tmp_path)
    assert merge(tmp_path, made, run_directory.Run(tmp_path / ".." / tmp_path.name / made.id)) == 4
    assert "named twice" in capsys.readouterr().err
    assert merge(tmp_path, made, run_directory.Run(tmp_path)) == 4
    assert "is not a run" in capsys.readouterr().err
    hold = (
        "import fasteners, sys; (x := fasteners.InterProcessLock(sys.argv[1])).acquire(); input()"
    )
    command = [sys.executable, "-c", hold, str(made.lock)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    while not run_recorder.is_in_use(made):
        assert other.poll() is None
    assert merge(tmp_path, made) == 4
    other.communicate(b"done\n")
    assert "another process uses the run" in capsys.readouterr().err


def test_half_a_packet_at_the_end_is_dropped_and_damage_before_it_is_refused(tmp_path, capsys):
    runs = [make_run(tmp_path, shard=each) for each in PARTS]
    runs[0].stream.write_bytes(runs[0].stream.read_bytes() + b"\xb3\x29\x01\x40")
    assert merge(tmp_path, *runs) == 0
    content = bytearray(runs[1].stream.read_bytes())
    content[len(content) // 2] ^= 0xFF
    runs[1].stream.write_bytes(content)
    assert merge(tmp_path, *runs) == 4
    assert "is damaged" in capsys.readouterr().err


def test_a_part_that_did_not_come_to_a_test_is_merged_too(tmp_path):
    runs = [make_run(tmp_path, shard=PARTS[0]), make_run(tmp_path, lambda _: None, PARTS[1])]
    assert merge(tmp_path, *runs) == 3
    only = io.BytesIO()
    events = subunit.StreamResultToBytes(only)
    events.status(test_id=None, file_name="stdout", file_bytes=b"x", eof=True)
    runs[1].stream.write_bytes(only.getvalue())
    assert merge(tmp_path / "again", *runs) == 3


def test_a_merged_run_makes_a_bundle_that_holds(tmp_path):
    merge(tmp_path, *(make_run(tmp_path, shard=each) for each in PARTS))
    packed = tmp_path / "b.zip"
    packed.write_bytes(archive.pack(pack.make(pack.of_run(merged(tmp_path)), attested={})))
    found = bundle_verify.verify(packed, None, any_signer=True)
    assert found.is_valid, [each for each in found.checks if not each.passed]
