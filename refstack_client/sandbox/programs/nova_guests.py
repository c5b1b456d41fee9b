"""A compute driver with guests under QEMU, of images that name a kernel and a ramdisk.

Nova's fake driver keeps the books. A thread compares the guests with the servers that are on and
with the floating IPs in Neutron's database: there is no L3 agent that Neutron would notify.
"""

import base64
import contextlib
import shutil
import sqlite3
import threading
import time
from collections import defaultdict
from pathlib import Path

import in_process
import nova.conf
import nova_driver
import qemu
from nova.compute import power_state
from nova.virt import driver, images
from nova.volume import cinder
from oslo_log import log as logging

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 0.25
_FLOATING = (
    "SELECT fixed_port_id, floating_ip_address FROM floatingips WHERE fixed_port_id IS NOT NULL"
)


class Driver(nova_driver.Driver):
    """Gives each server a guest that starts when it can be noticed."""

    def __init__(self, virtapi, read_only=False):
        """Follow the servers from now on."""
        super().__init__(virtapi, read_only)
        self._guests = {}
        self._volumes = cinder.API()
        self._images = Path(CONF.instances_path) / "_base"
        self._consoles = Path(CONF.state_path) / "consoles"
        for directory in (self._images, self._consoles):
            directory.mkdir(parents=True, exist_ok=True)
        in_process.start("guests", self._follow)

    def _follow(self):
        neutron = f"file:{Path(CONF.state_path).parent}/neutron.sqlite?mode=ro"
        connection = sqlite3.connect(neutron, uri=True, timeout=60)
        while True:
            floating_ips = defaultdict(list)
            for port, address in connection.execute(_FLOATING).fetchall():
                floating_ips[port].append(address)
            for uuid, guest in list(self._guests.items()):
                try:
                    guest.follow(floating_ips, lambda uuid=uuid: self._is_on(uuid))
                except qemu.MonitorError as error:
                    LOG.warning("the guest of %s cannot be reached: %s", uuid, error)
                except OSError as error:
                    LOG.warning("the guest of %s does not run: %s", uuid, error)
                    self._set_off(uuid)
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _is_on(self, uuid):
        server = self.instances.get(uuid)
        return server is not None and server.state == power_state.RUNNING

    def _set_off(self, uuid):
        with contextlib.suppress(KeyError):
            self.instances[uuid].state = power_state.SHUTDOWN

    # -- Nova's calls: the fake driver does the rest -----------------------------------------------

    def spawn(self, context, instance, *args, network_info=None, block_device_info=None, **kwargs):
        """Define the guest of a new, rebuilt, resized or unshelved server."""
        self._stop(instance)
        guest = qemu.Guest(self._directory(instance), self._consoles / f"{instance.uuid}.log")
        guest.machine = self._machine(context, instance, network_info)
        for mapping in driver.block_device_info_get_mapping(block_device_info):
            self._attach(context, guest, mapping["connection_info"])
        self._guests[instance.uuid] = guest
        disks_and_nics = {"network_info": network_info, "block_device_info": block_device_info}
        super().spawn(context, instance, *args, **disks_and_nics, **kwargs)

    def destroy(self, context, instance, *args, **kwargs):
        """End the guest of a server, and remove its files except the console log."""
        super().destroy(context, instance, *args, **kwargs)
        self._stop(instance)
        self._guests.pop(instance.uuid, None)
        shutil.rmtree(self._directory(instance), ignore_errors=True)

    def power_off(self, instance, *args, **kwargs):
        """End the guest."""
        super().power_off(instance, *args, **kwargs)
        self._stop(instance)

    def power_on(self, context, instance, network_info, *args, **kwargs):
        """Let the guest start, with the interfaces that the server has now."""
        self._redefine(context, instance, network_info)
        super().power_on(context, instance, network_info, *args, **kwargs)

    def reboot(self, context, instance, network_info, *args, **kwargs):
        """End the guest and let it start again."""
        self._redefine(context, instance, network_info)
        super().reboot(context, instance, network_info, *args, **kwargs)

    def rescue(self, context, instance, *args, **kwargs):
        """Start the guest again: the image for rescue is the same."""
        super().rescue(context, instance, *args, **kwargs)
        self._stop(instance)

    def unrescue(self, context, instance):
        """Start the guest again."""
        self._stop(instance)
        super().unrescue(context, instance)

    def migrate_disk_and_power_off(self, context, instance, *args, **kwargs):
        """End the guest: it starts again with the other flavor."""
        super().migrate_disk_and_power_off(context, instance, *args, **kwargs)
        self._set_off(instance.uuid)
        self._stop(instance)

    def finish_revert_migration(self, context, instance, network_info, *args, **kwargs):
        """Let the guest start with the flavor that it had."""
        self._redefine(context, instance, network_info)
        super().finish_revert_migration(context, instance, network_info, *args, **kwargs)

    def pause(self, instance):
        """Halt the guest."""
        self._freeze(instance, "stop")

    def unpause(self, instance):
        """Continue the guest."""
        self._freeze(instance, "cont")

    def suspend(self, context, instance):
        """Halt the guest."""
        self._freeze(instance, "stop")

    def resume(self, context, instance, *args, **kwargs):
        """Continue the guest."""
        self._freeze(instance, "cont")

    def attach_volume(self, context, connection_info, instance, *args, **kwargs):
        """Plug a disk of the size of the volume."""
        super().attach_volume(context, connection_info, instance, *args, **kwargs)
        self._attach(context, self._guests[instance.uuid], connection_info)

    def detach_volume(self, context, connection_info, instance, *args, **kwargs):
        """Unplug the disk."""
        super().detach_volume(context, connection_info, instance, *args, **kwargs)
        if guest := self._guests.get(instance.uuid):
            guest.detach(connection_info["serial"])

    def get_console_output(self, context, instance):
        """Return the end of the console log; reading it starts the guest."""
        guest = self._guests.get(instance.uuid)
        return guest.console() if guest else b""

    # -- the guest ---------------------------------------------------------------------------------

    def _machine(self, context, instance, network_info):
        """Return the hardware and the configuration of the guest of a server."""
        # A new server has no network information of its own yet, a resized one only that.
        nics = tuple(_nic(vif) for vif in network_info or instance.get_network_info())
        config = {
            "hostname": instance.hostname.encode(),
            "network": "".join(f"{n.mac} {n.address} {n.gateway}\n" for n in nics).encode(),
            "authorized_keys": (instance.key_data or "").encode(),
            "user_data": base64.b64decode(instance.user_data or ""),
        }
        return qemu.Machine(
            instance.name,
            instance.flavor.vcpus,
            instance.flavor.memory_mb,
            self._image(context, instance.kernel_id),
            self._image(context, instance.ramdisk_id),
            instance.flavor.root_gb if instance.image_ref else 0,
            nics,
            {name: content for name, content in config.items() if content},
        )

    def _image(self, context, image_id):
        """Return the file of an image of Glance; None for no image."""
        if not image_id:
            return None
        path = self._images / image_id
        if not path.exists():
            partial = path.with_suffix(f".{threading.get_ident()}")
            images.fetch(context, image_id, str(partial))
            partial.replace(path)
        return path

    def _attach(self, context, guest, connection_info):
        volume = connection_info["serial"]
        guest.attach(volume, self._volumes.get(context, volume)["size"])

    def _redefine(self, context, instance, network_info):
        if guest := self._guests.get(instance.uuid):
            guest.stop()
            guest.machine = self._machine(context, instance, network_info)

    def _stop(self, instance):
        if guest := self._guests.get(instance.uuid):
            guest.stop()

    def _freeze(self, instance, command):
        if guest := self._guests.get(instance.uuid):
            guest.freeze(command)

    def _directory(self, instance):
        return Path(CONF.instances_path) / instance.uuid


def _nic(vif):
    """Return the interface of a port, with its first IPv4 address."""
    for subnet in vif["network"]["subnets"]:
        for address in subnet["ips"] if subnet["version"] == 4 else ():
            prefix = subnet["cidr"].rpartition("/")[2]
            gateway = (subnet.get("gateway") or {}).get("address") or ""
            return qemu.Nic(vif["id"], vif["address"], f"{address['address']}/{prefix}", gateway)
    return qemu.Nic(vif["id"], vif["address"])
