"""The tables that describe a sandbox name files that exist."""

import re
from pathlib import Path

import pytest

import refstack_client.sandbox
from refstack_client.sandbox import fault_proxy
from refstack_client.sandbox.profiles import PROFILES

SANDBOX = Path(refstack_client.sandbox.__file__).parent
PROGRAM = re.compile(r"\{programs\}/(\S+)")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_program_template_and_requirements_file_exists(profile):
    commands = [step.argv for service in profile.services for step in service.steps]
    commands += [daemon.argv for daemon in (*profile.daemons, fault_proxy.DAEMON)]
    programs = {name for argv in commands for text in argv for name in PROGRAM.findall(text)}
    templates = {name for service in profile.services for name in service.templates}
    assert programs
    assert {name for name in programs if not (SANDBOX / "programs" / name).is_file()} == set()
    assert {name for name in templates if not (SANDBOX / "templates" / name).is_file()} == set()
    assert (SANDBOX / "requirements" / f"{profile.requirements}.txt").is_file()


def test_arguments_that_uwsgi_splits_at_spaces_name_no_path():
    daemons = [daemon for profile in PROFILES.values() for daemon in profile.daemons]
    split = [
        daemon.argv[place + 1]
        for daemon in daemons
        for place, text in enumerate(daemon.argv)
        if text == "--pyargv"
    ]
    assert split
    assert [text for text in split if "{" in text] == []
