"""The ports that a sandbox uses."""

import socket

import pytest

from refstack_client.errors import MachineError, UsageError
from refstack_client.sandbox import ports, state
from refstack_client.sandbox.deployment import HOST

DAEMONS = ("keystone", "swift-account", "swift-container", "swift-object", "swift-proxy")


@pytest.fixture
def sandbox(tmp_path) -> state.Sandbox:
    return state.find(tmp_path, "box", "storage")


@pytest.mark.parametrize("port_base", [-1, 0, 65532, 70000])
def test_ports_that_do_not_exist_are_refused(port_base, sandbox):
    with pytest.raises(UsageError, match=f"--port-base {port_base} is not valid"):
        ports.choose(sandbox, {}, port_base)


def test_ports_are_consecutive_up_to_the_last_one(sandbox):
    assert ports.choose(sandbox, {}, 65531) == dict(zip(DAEMONS, range(65531, 65536), strict=True))


def test_free_ports_differ_from_each_other_and_from_those_taken():
    taken = ports.free_ports(3)
    chosen = ports.free_ports(20, taken)
    assert len({*taken, *chosen}) == 23


def test_recorded_ports_stay_while_they_are_free_and_missing_ones_are_added(sandbox):
    recorded = dict(zip(DAEMONS, ports.free_ports(5), strict=True))
    assert ports.choose(sandbox, recorded, None) == recorded
    chosen = ports.choose(sandbox, recorded, None, ("public-keystone",))
    assert chosen.keys() - recorded.keys() == {"public-keystone"}
    assert recorded.items() <= chosen.items()


def test_a_port_in_use_has_all_chosen_again_or_is_reported(sandbox):
    recorded = dict(zip(DAEMONS, ports.free_ports(5), strict=True))
    with socket.socket() as other:
        other.bind((HOST, recorded["swift-proxy"]))
        other.listen()
        chosen = ports.choose(sandbox, recorded, None)
        assert recorded["swift-proxy"] not in chosen.values()
        base = recorded["swift-proxy"]
        with pytest.raises(MachineError, match=f"cannot bind to port {base} on {HOST}"):
            ports.choose(sandbox, recorded, base)
