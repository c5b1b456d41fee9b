"""Create the first domain, project, user and endpoint of Keystone.

Runs in the virtual environment of the services. ``keystone-manage bootstrap`` takes the password as
an argument or environment variable, where other users can read it. This program reads a JSON
document from standard input instead: {"config": path, "password": str, "url": str}. Safe to run
again.
"""

import json
import sys

import keystone.conf
from keystone.cmd import bootstrap
from keystone.common import sql


def main():
    """Read the request from standard input and bootstrap Keystone."""
    request = json.load(sys.stdin)
    keystone.conf.configure()
    sql.initialize()
    keystone.conf.CONF(args=[], project="keystone", default_config_files=[request["config"]])
    bootstrapper = bootstrap.Bootstrapper()
    bootstrapper.admin_username = "admin"
    bootstrapper.admin_password = request["password"]
    bootstrapper.project_name = "admin"
    bootstrapper.admin_role_name = "admin"
    bootstrapper.service_name = "keystone"
    bootstrapper.region_id = "RegionOne"
    bootstrapper.public_url = request["url"]
    bootstrapper.internal_url = request["url"]
    bootstrapper.admin_url = request["url"]
    bootstrapper.immutable_roles = True
    bootstrapper.bootstrap()


if __name__ == "__main__":
    main()
