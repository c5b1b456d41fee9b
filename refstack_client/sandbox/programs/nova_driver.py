"""A compute driver without guests: Nova's own fake driver, with snapshots that become images.

Of the fake drivers in Nova this is the one whose node is the same after a restart.
"""

import io

from nova import exception
from nova.compute import task_states
from nova.image import glance
from nova.virt import fake


class Driver(fake.FakeDriverWithoutFakeNodes):
    """Keeps servers in memory and uploads a text as the snapshot of one."""

    def snapshot(self, context, instance, image_id, update_task_state):
        """Upload a text as the image ``image_id``."""
        if instance.uuid not in self.instances:
            raise exception.InstanceNotRunning(instance_id=instance.uuid)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        update_task_state(
            task_state=task_states.IMAGE_UPLOADING,
            expected_state=task_states.IMAGE_PENDING_UPLOAD,
        )
        metadata = {"disk_format": "raw", "container_format": "bare"}
        content = io.BytesIO(f"a snapshot of {instance.uuid}".encode())
        glance.API().update(context, image_id, metadata, data=content)
