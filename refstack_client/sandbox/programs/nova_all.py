"""Run Nova in one process: its API, its conductor, its scheduler and its compute service."""

import sys

import sqlite_write_lock

sqlite_write_lock.install()

# First of all Nova modules: Nova refuses to run on threads once eventlet has been imported.
from nova.wsgi import osapi_compute  # noqa: E402

application = osapi_compute.application

import nova_driver  # noqa: E402
import nova_guests  # noqa: E402

# Nova loads compute drivers from its own package only.
sys.modules["nova.virt.sandbox"] = nova_driver
sys.modules["nova.virt.guests"] = nova_guests

import in_process  # noqa: E402
import os_vif  # noqa: E402
from nova import objects, service  # noqa: E402
from nova.compute import rpcapi as compute  # noqa: E402
from nova.conductor import rpcapi as conductor  # noqa: E402
from nova.scheduler import rpcapi as scheduler  # noqa: E402

_SERVICES = (
    ("nova-conductor", {"topic": conductor.RPC_TOPIC}),
    ("nova-scheduler", {"topic": scheduler.RPC_TOPIC}),
    ("nova-compute", {"topic": compute.RPC_TOPIC, "topic_alt": compute.RPC_TOPIC_ALT}),
)
_running = []  # a reference to each, so that none is collected


def _run():
    objects.register_all()
    os_vif.initialize()
    objects.Service.enable_min_version_cache()
    for binary, topics in _SERVICES:
        started = service.Service.create(binary=binary, **topics)
        started.start()
        _running.append(started)


in_process.start("nova", _run)
