"""A mechanism driver for Neutron's ML2 plug-in that needs no agents."""

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class Driver(api.MechanismDriver):
    """Binds every port at once."""

    def initialize(self):
        """Do nothing: there is no back end."""

    @property
    def connectivity(self):
        """Return the kind of network that it provides."""
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context):
        """Bind a port to the first segment offered."""
        segment = next(iter(context.segments_to_bind), None)
        if segment:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_OVS,
                {portbindings.CAP_PORT_FILTER: True},
                status=constants.PORT_STATUS_ACTIVE,
            )
