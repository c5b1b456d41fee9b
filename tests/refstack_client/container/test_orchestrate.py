"""Which payload each container gets, and what its end means."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from support.bundles import make_key
from support.challenges import issued

from capabilities import catalogue
from refstack_client.cloud.selection import CloudSelection
from refstack_client.container import engine, orchestrate, payload_of
from refstack_client.container.launch import ContainerResult
from refstack_client.container.orchestrate import ALL, Finished
from refstack_client.container.payload import Payload
from refstack_client.container.payload_of import Certification
from refstack_client.errors import InputError, MachineError, UsageError
from refstack_client.outcomes.run_directory import Run

AUTH = {
    "auth_url": "https://keystone.example.org:5000/v3",
    "username": "alice",
    "password": "c4nary",
    "project_name": "tests",
}
CLOUDS = {"clouds": {"mycloud": {"auth": AUTH}}}


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump(CLOUDS))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    return path


def engine_with(processors: int) -> engine.Engine:
    return engine.Engine(SimpleNamespace(info=lambda: {"NCPU": processors}))


def test_a_payload_has_the_files_its_arguments_name(clouds, tmp_path):
    guideline = tmp_path / "my.json"
    guideline.write_bytes(catalogue.content("2020.06"))
    accounts = tmp_path / "users.yaml"
    accounts.write_text("[]")
    for name in ("vendor", "certifier"):
        make_key(tmp_path / name)
    answered = issued(tmp_path / "certifier", tmp_path / "vendor.pub")
    payload = payload_of.payload_of(
        Certification(
            guideline=str(guideline),
            programme="storage",
            cloud=CloudSelection("mycloud"),
            accounts=accounts,
            settings=("a.b=c",),
            challenge=answered,
        )
    )
    assert " ".join(payload.arguments) == (
        "certify --os-cloud mycloud --guideline /tmp/refstack/my.json --programme storage "
        "--accounts /tmp/refstack/accounts.yaml --challenge /tmp/refstack/challenge.txt "
        "--set a.b=c"
    )
    files = {"clouds.yaml", "my.json", "accounts.yaml", "challenge.txt"}
    assert set(payload.files) == files
    assert payload.files["challenge.txt"] == answered.file
    assert payload.environ["https_proxy"] == "http://proxy.example.org:3128"
    assert payload.environ["OS_CLIENT_CONFIG_FILE"] == "/tmp/refstack/clouds.yaml"
    assert b"c4nary" in payload.files["clouds.yaml"]
    assert "c4nary" not in repr(payload)


def test_a_run_that_is_none_is_not_resumed(clouds, tmp_path):
    with pytest.raises(InputError):
        payload_of.payload_of(
            Certification(cloud=CloudSelection("mycloud"), resume=tmp_path / "absent")
        )


@pytest.mark.parametrize(
    ("host", "network"),
    [("127.0.0.1", "host"), ("localhost", "host"), ("[::1]", "host"), ("cloud.example", "")],
)
def test_a_cloud_on_loopback_needs_the_network_of_the_host(host, network):
    document = {"clouds": {"c": {"auth": {"auth_url": f"http://{host}:5000/v3"}}}}
    payload = Payload([], files={"clouds.yaml": yaml.safe_dump(document).encode()})
    assert payload_of.network_of(payload) == network


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (4, 2), (64, 4)])
def test_parts_share_the_processors(processors, workers):
    parts = orchestrate.parts(engine_with(processors), Payload(["certify"]), 2, "image@1")
    assert {name: list(part.arguments) for name, part in parts.items()} == {
        f"{number}/2": ["certify", "--concurrency", str(workers), "--shard", f"{number}/2"]
        for number in (1, 2)
    }
    assert {part.environ["REFSTACK_IMAGE"] for part in parts.values()} == {"image@1"}


def test_a_number_of_workers_that_was_chosen_is_kept():
    common = Payload(["certify", "--concurrency", "7"])
    parts = orchestrate.parts(engine_with(1), common, 2, "")
    assert list(parts["1/2"].arguments) == ["certify", "--concurrency", "7", "--shard", "1/2"]
    only = orchestrate.parts(engine_with(1), Payload(["certify"]), 1, "")
    assert [*only[ALL].arguments] == ["certify"]


def test_a_killed_container_says_how_to_resume(tmp_path):
    run = Run(tmp_path / "run")
    killed = ContainerResult(137, out_of_memory=True, runs=(run,))
    with pytest.raises(MachineError, match="it ran out of memory") as raised:
        Finished({ALL: killed}, interrupted=False).only()
    assert f"refstack-client container run --resume {run.directory}" in raised.value.hint
    ended = ContainerResult(3, out_of_memory=True, runs=())
    assert Finished({ALL: ended}, interrupted=False).only() is ended


def test_parts_without_results_have_no_verdict(tmp_path):
    planned = Run(tmp_path / "planned")
    planned.directory.mkdir()
    planned.plan.touch()
    results = {
        "1/3": ContainerResult(0, out_of_memory=False, runs=(planned,)),
        "2/3": ContainerResult(5, out_of_memory=False, runs=(Run(tmp_path / "unplanned"),)),
        "3/3": MachineError("no space"),
    }
    assert Finished(results, interrupted=False).planned_runs() == [planned]
    del results["1/3"]
    with pytest.raises(MachineError, match="no part has results"):
        Finished(results, interrupted=False).planned_runs()


def test_a_size_is_in_bytes_and_what_is_none_is_refused():
    assert engine.parse_size("2g", "--memory") == 2 << 30
    with pytest.raises(UsageError, match="--memory lots is not a valid size"):
        engine.parse_size("lots", "--memory")
