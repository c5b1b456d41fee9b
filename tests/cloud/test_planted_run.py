"""A run directory that came from elsewhere has nothing removed but what its run made."""

import json
from collections.abc import Iterator
from pathlib import Path

import openstack
import pytest
from support.certifying import CERTIFY, run

from capabilities import catalogue
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT
from refstack_client.errors import InputError
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import cleanup
from refstack_client.sandbox.state import Sandbox
from refstack_client.tenants.resource_record import ExpectedNames

RUN_ID = "20260131T120000Z-1a2b3c"
PREFIX = "refstack-1a2b3c"
CLASS = "AccountTest"
NOTE = {
    "prefix": PREFIX,
    "before": [],
    "class_names": [CLASS],
    "roles": ["member"],
    "projects": [],
    "users": [],
}
PROJECTS = ("prod-billing", "prod-web", "finance")
USER = "payroll-robot"


def planted(place: Path, note: object, run_id: str = RUN_ID, cloud: object = None) -> Path:
    """Write the directory of a run that was cut off before it had a plan."""
    made = place / run_id
    made.mkdir()
    options = {"guideline": {"id": "2020.06"}, "programme": "storage", "os_cloud": "sandbox"}
    (made / "request.json").write_text(json.dumps({**options, "cloud": cloud}))
    (made / "guideline.json").write_bytes(catalogue.content("2020.06"))
    attempt = {"attempt": 1, "mode": "all", "retry_budget": 3, "workspace": "/nowhere"}
    (made / "attempts.jsonl").write_text(json.dumps(attempt) + "\n")
    (made / "tenancy.json").write_text(note if isinstance(note, str) else json.dumps(note))
    return made


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("null", "/ must be an object"),
        ([], "/ must be an object"),
        ({**NOTE, "prefix": 1}, "/prefix must be a string"),
        ({**NOTE, "users": None}, "/users must be a list of strings"),
        ({**NOTE, "before": [1]}, "/before must be a list of strings"),
        ({**NOTE, "prefix": "prod"}, "/prefix is prod, but names of this run start with refst"),
        ({**NOTE, "class_names": ["Other"]}, "/class_names has Other"),
    ],
)
def test_a_note_of_another_form_or_run_is_refused_before_the_cloud_is_asked(
    tmp_path, note, message
):
    made = Run(planted(tmp_path, note))
    names = ExpectedNames(PREFIX, frozenset({CLASS}))
    with pytest.raises(InputError, match=message) as caught:
        cleanup.remove(None, made, names, ())
    assert str(made.tenancy) in str(caught.value)


@pytest.mark.parametrize("run_id", ["prod", "20260131T120000Z-prod-x", "x-1a2b3c"])
def test_a_directory_that_is_not_called_as_a_run_is_refused(tmp_path, run_id):
    made = Run(planted(tmp_path, NOTE, run_id))
    with pytest.raises(InputError, match="not named like a run"):
        cleanup.remove(None, made, ExpectedNames(PREFIX, frozenset()), ())


@pytest.fixture
def others(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """Create projects and a user that do not belong to a run; yield their ids by name."""
    identity = openstack.connect(cloud="sandbox").identity
    made = [identity.create_project(name=each) for each in (*PROJECTS, "tempest-OtherTest-12")]
    user = identity.create_user(name=USER, password="aA1-not-a-secret", domain_id="default")
    yield {each.name: each.id for each in (*made, user)}
    for each in made:
        identity.delete_project(each, ignore_missing=True)
    identity.delete_user(user, ignore_missing=True)


@pytest.mark.cloud
@pytest.mark.parametrize("option", ["--clean", pytest.param("--resume", marks=pytest.mark.long)])
def test_what_a_planted_note_names_is_not_removed(place, sandbox, others, option):
    connection = openstack.connect(cloud="sandbox")
    here = {"auth_url": connection.config.get_auth_args()["auth_url"], "region": "RegionOne"}
    own = connection.identity.create_project(name=f"{PREFIX}-1")
    notes = {
        "the cloud's auth_url was http://elsewhere": (
            NOTE,
            {**here, "auth_url": "http://elsewhere"},
        ),
        "does not name the cloud": (NOTE, None),
        "/prefix is prod,": ({**NOTE, "prefix": "prod"}, here),
        f"project finance ({others['finance']})": ({**NOTE, "projects": [others["finance"]]}, here),
        f"user {USER} ({others[USER]})": ({**NOTE, "users": [others[USER]]}, here),
        "project tempest-OtherTest-12": (
            {**NOTE, "projects": [others["tempest-OtherTest-12"], own.id]},
            here,
        ),
        f"project {PREFIX}-1 ({own.id})": (
            {**NOTE, "projects": [own.id], "before": [own.id]},
            here,
        ),
    }
    for number, (message, (note, cloud)) in enumerate(notes.items()):
        (place / str(number)).mkdir()
        made = planted(place / str(number), note, cloud=cloud)
        done = run(*CERTIFY, "--os-cloud", "sandbox", option, str(made))
        assert (done.returncode, message in done.stderr) == (EXIT_BAD_INPUT, True), done.stderr
        assert done.stdout == ""
    known = {each.id for each in connection.identity.projects()}
    known |= {each.id for each in connection.identity.users()}
    assert {*others.values(), own.id} <= known
    connection.identity.delete_project(own)


@pytest.mark.cloud
def test_what_a_note_names_and_the_run_made_is_removed(place, sandbox, others):
    connection = openstack.connect(cloud="sandbox")
    identity = connection.identity
    tenant = identity.create_project(name=f"tempest-{CLASS}-123")
    user = identity.create_user(
        name=f"tempest-{CLASS}-123-project-admin", password="aA1-x", domain_id="default"
    )
    identity.create_project(name=f"{PREFIX}-1")
    here = {"auth_url": connection.config.get_auth_args()["auth_url"], "region": "RegionOne"}
    note = {**NOTE, "projects": [tenant.id], "users": [user.id], "before": [*others.values()]}
    done = run(*CERTIFY, "--os-cloud", "sandbox", "--clean", str(planted(place, note, cloud=here)))
    assert done.returncode == 0, done.stderr
    for name in (tenant.name, user.name, f"{PREFIX}-1"):
        assert f" {name} (" in done.stdout
    left = {each.id for each in identity.projects()} | {each.id for each in identity.users()}
    assert set(others.values()) <= left
    assert not {tenant.id, user.id} & left


@pytest.mark.cloud
def test_a_user_of_the_run_is_removed_though_its_project_is_gone(place, sandbox):
    connection = openstack.connect(cloud="sandbox")
    user = connection.identity.create_user(
        name=f"{PREFIX}-1-member", password="aA1-x", domain_id="default"
    )
    here = {"auth_url": connection.config.get_auth_args()["auth_url"], "region": "RegionOne"}
    done = run(*CERTIFY, "--os-cloud", "sandbox", "--clean", str(planted(place, NOTE, cloud=here)))
    assert done.returncode == 0, done.stderr
    assert f"user {user.name} ({user.id})" in done.stdout
    assert user.id not in {each.id for each in connection.identity.users()}
