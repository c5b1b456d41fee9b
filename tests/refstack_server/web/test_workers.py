"""What one client sends does not keep the server from answering others."""

import json
import threading
import time

import psutil
import pytest
from support.making import make_run
from support.serving import add_user, person, serving
from support.streams import StreamWriter

from refstack_client.bundle import archive, pack
from refstack_server.intake.verify_upload import MOST_ENTRIES

STREAMS = "/v2/streams?guideline=2020.06&programme=storage"


@pytest.fixture(scope="module")
def alice():
    return person("alice")


@pytest.fixture
def limited(tmp_path, alice):
    """Return a function that runs a server with limits and one user."""
    add_user(tmp_path / "data", alice)
    return lambda **limits: serving(tmp_path / "data", limits=limits)


def stream_of(number: int) -> bytes:
    writer = StreamWriter()
    for index in range(number):
        writer.test(f"tempest.api.Class.test_{index}", "success")
    return writer.content


def workers(server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children()


def longest_while(server, send) -> float:
    """Return how long the slowest answer of the server took while a request was in progress."""
    sending, longest = threading.Thread(target=send), 0.0
    sending.start()
    while sending.is_alive():
        began = time.monotonic()
        assert server.call("GET", "/health").status_code == 200
        longest = max(longest, time.monotonic() - began)
    sending.join()
    return longest


def test_an_upload_that_takes_long_does_not_stop_the_service(limited, alice):
    with limited() as server:
        answers = []
        content = stream_of(MOST_ENTRIES)
        longest = longest_while(
            server, lambda: answers.append(server.call("POST", STREAMS, alice, data=content))
        )
        assert answers[0].status_code == 201, answers[0].text
        assert longest < 1


@pytest.mark.parametrize(
    "limits", [{"seconds_of_work": 3}, {"bytes_of_work": 128 * 2**20}], ids=["time", "memory"]
)
def test_work_beyond_the_limits_is_stopped_and_refused(limited, alice, limits):
    with limited(**limits) as server:
        refused = server.call("POST", STREAMS, alice, data=stream_of(300_000))
        assert refused.status_code == 400
        assert refused.json()["title"] == "This takes more time or memory than a request may"
        again = server.call("POST", STREAMS, alice, data=stream_of(10))
        assert again.status_code == 201, again.text
    assert not list((server.data / "uploads").glob(".coming-*"))


def test_results_have_a_bounded_number_of_outcomes(limited, alice):
    number = MOST_ENTRIES + 1
    passes = {
        "cpid": "c",
        "duration_seconds": 1,
        "results": [{"name": f"t{index}"} for index in range(number)],
    }
    with limited() as server:
        body = json.dumps(passes).encode()
        assert server.call("POST", "/v1/results", data=body).status_code == 400
        refused = server.call("POST", STREAMS, alice, data=stream_of(number))
        assert (refused.status_code, refused.json()["title"]) == (
            400,
            f"There are {number} outcomes in it, more than {MOST_ENTRIES}",
        )


def test_too_many_waiting_requests_are_refused(limited, alice):
    with limited(most_waiting=1) as server:
        statuses, content = [], stream_of(MOST_ENTRIES - 100)

        def send(number: int) -> None:
            body = content + stream_of(number)  # Each is another result.
            answer = server.call("POST", STREAMS, alice, data=body)
            statuses.append((answer.status_code, answer.headers.get("Retry-After")))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (503, "30") in statuses
        assert 201 in dict(statuses)


def test_a_bundle_without_an_owner_is_refused_before_it_is_judged(limited, alice, tmp_path):
    members = dict(pack.make(pack.of_run(make_run(tmp_path / "runs"))))
    broken = archive.pack({**members, "results.subunit": b"changed"})
    with limited() as server:
        assert server.call("POST", "/v2/bundles", data=broken).status_code == 401
        assert server.call("POST", "/v2/bundles", alice, data=broken).status_code == 400


def test_no_worker_outlives_a_killed_server(limited, alice):
    with limited() as server:
        assert server.call("POST", STREAMS, alice, data=stream_of(10)).status_code == 201
        started = workers(server)
        assert started
        server.kill()
        _, alive = psutil.wait_procs(started, timeout=10)
        assert not alive
