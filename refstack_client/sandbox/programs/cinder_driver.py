"""A volume driver without volumes: Cinder's own logging driver, with copies from and to images."""

import io

from cinder.tests import fake_driver


class Driver(fake_driver.FakeLoggingVolumeDriver):
    """Logs each call and reports success."""

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        """Report that the volume has the content of the image."""
        return {}, True

    def copy_volume_to_image(self, context, volume, image_service, image_meta):
        """Upload a text instead of the volume."""
        content = io.BytesIO(f"the volume {volume.id}".encode())
        image_service.update(context, image_meta["id"], {}, content)
