"""Run Cinder in one process: its API, its scheduler and its volume service."""

import os

os.environ["OS_CINDER_DISABLE_EVENTLET_PATCHING"] = "1"

from cinder import monkey_patch

monkey_patch.patch(backend="threading")

import sqlite_write_lock  # noqa: E402

sqlite_write_lock.install()

import shlex  # noqa: E402
import threading  # noqa: E402

# The driver imports test code of Cinder, which sets a signal handler: only the main thread may.
import cinder_driver  # noqa: E402, F401
import in_process  # noqa: E402
import os_brick  # noqa: E402
from cinder import service, utils  # noqa: E402
from cinder.wsgi.api import application  # noqa: E402, F401
from oslo_config import cfg  # noqa: E402
from oslo_privsep import priv_context  # noqa: E402

CONF = cfg.CONF
_class_attribute = threading.Lock()
_services = []  # a reference to each, so that none is collected


class _Service(service.Service):
    """A service whose id is in an attribute of its class: two services here share it by a lock."""

    def report_state(self):
        with _class_attribute:
            service.Service.service_id = self.origin_service_id
            super().report_state()


def _start(**options):
    def run():
        with _class_attribute:
            created = _Service.create(**options)
        _services.append(created)
        created.start()

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
