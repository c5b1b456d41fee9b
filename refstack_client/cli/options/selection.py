"""Declare the options that select a cloud, as the ``openstack`` command has them."""

from argparse import ArgumentParser

NAMES = ("os_cloud", "os_region_name", "os_interface")


def add_selection(parser: ArgumentParser) -> None:
    """Add --os-cloud, --os-region-name and --os-interface."""
    parser.add_argument(
        "--os-cloud",
        metavar="NAME",
        help="name of a cloud in clouds.yaml (default: $OS_CLOUD, else the OS_* variables)",
    )
    parser.add_argument(
        "--os-region-name",
        metavar="NAME",
        help="region to test (default: $OS_REGION_NAME, else that of clouds.yaml)",
    )
    parser.add_argument(
        "--os-interface",
        metavar="INTERFACE",
        help="interface of the endpoints to test: public, internal or admin "
        "(default: $OS_INTERFACE, else that of clouds.yaml, else public)",
    )
