"""A directory that another user put where the results are does no harm."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.making import make_run

from refstack_client.errors import InputError
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import run_recorder

START = '{"attempt": 1, "mode": "all", "workspace": "/w", "retry_budget": 3}\n'


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that was cut off."""
    made = make_run(tmp_path / "runs")
    made.attempts.write_text(START)
    return made


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink(missing_ok=True)
    make(path)


def test_a_run_of_ones_own_that_was_cut_off_is_found(run):
    run_directory.check_own(run)
    assert run_recorder.cut_off(run.directory.parent) == (run,)


def test_a_run_of_another_user_is_left_alone(run, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: run.directory.stat().st_uid + 1)
    with pytest.raises(InputError, match="belongs to another user"):
        run_directory.check_own(run)
    assert run_recorder.cut_off(run.directory.parent) == ()


@pytest.mark.parametrize("name", ["attempts.jsonl", "lock", "request.json", "tenancy.json"])
@pytest.mark.parametrize(
    "make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/nosuch/created-by-victim")]
)
def test_what_is_not_a_regular_file_is_refused_and_not_opened(run, name, make):
    replaced(run.directory / name, make)
    with pytest.raises(InputError, match=f"{name} is not a regular file"):
        run_directory.check_own(run)
    assert run_recorder.cut_off(run.directory.parent) == ()


@pytest.mark.parametrize(
    "content", [START.replace("all", "nonsense"), START.replace("1", "[]"), "[1]\n", "\xff"]
)
def test_a_record_of_another_form_is_left_out(run, content):
    run.attempts.write_text(content, encoding="latin-1")
    assert run_recorder.cut_off(run.directory.parent) == ()


def test_a_lock_that_is_a_link_creates_nothing(run, tmp_path):
    run.lock.symlink_to(tmp_path / "created-by-victim")
    with pytest.raises(InputError, match="is a link"), run_recorder.locked(run):
        pass
    assert not (tmp_path / "created-by-victim").exists()


def test_a_directory_that_is_not_there_is_not_a_run(tmp_path):
    with pytest.raises(InputError, match="is not a run: No such file"):
        run_directory.check_own(Run(tmp_path / "nosuch"))
