"""Nova in one process: its API, with conductor, scheduler and compute beside it."""

import sys

import sqlite_patience

sqlite_patience.install()

# Before anything else of Nova: it refuses to run on threads where eventlet was imported earlier.
from nova.wsgi import osapi_compute  # noqa: E402

application = osapi_compute.application

import nova_driver  # noqa: E402

# Nova loads compute drivers from its own package alone.
sys.modules["nova.virt.sandbox"] = nova_driver

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
_kept = []


def _run():
    objects.register_all()
    os_vif.initialize()
    objects.Service.enable_min_version_cache()
    for binary, topics in _SERVICES:
        started = service.Service.create(binary=binary, **topics)
        started.start()
        _kept.append(started)


in_process.start("nova", _run)
