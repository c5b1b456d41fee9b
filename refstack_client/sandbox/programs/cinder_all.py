"""Cinder in one process: its API, with scheduler and volume service beside it."""

import os

os.environ["OS_CINDER_DISABLE_EVENTLET_PATCHING"] = "1"

from cinder import monkey_patch

monkey_patch.patch(backend="threading")

import sqlite_patience  # noqa: E402

sqlite_patience.install()

import shlex  # noqa: E402
import threading  # noqa: E402

# Cinder's test code, on which the driver stands, sets a signal handler: the main thread must.
import cinder_driver  # noqa: E402, F401
import in_process  # noqa: E402
import os_brick  # noqa: E402
from cinder import service, utils  # noqa: E402
from cinder.wsgi.api import application  # noqa: E402, F401
from oslo_config import cfg  # noqa: E402
from oslo_privsep import priv_context  # noqa: E402

CONF = cfg.CONF
_turn = threading.Lock()
_kept = []


class _Service(service.Service):
    """Cinder keeps a service's id in an attribute of the class: here two share it in turns."""

    def report_state(self):
        with _turn:
            service.Service.service_id = self.origin_service_id
            super().report_state()


def _start(**options):
    def run():
        with _turn:
            made = _Service.create(**options)
        _kept.append(made)
        made.start()

    in_process.start(options["binary"], run)


priv_context.init(root_helper=shlex.split(utils.get_root_helper()))
os_brick.setup(CONF)
for _backend in CONF.enabled_backends:
    _start(
        binary="cinder-volume",
        host=f"{CONF.host}@{_backend}",
        service_name=_backend,
        coordination=True,
    )
_start(binary="cinder-scheduler")
