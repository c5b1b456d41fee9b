"""Create Neutron's tables in SQLite: neutron_schema.py URL. Safe to run again.

Neutron's migrations change constraints, which SQLite cannot. This program creates the tables from
the models, and adds the rows that the migrations add: the default rules of a security group.
"""

import sys
import uuid

import sqlalchemy
from neutron.db.migration.models import head

_RULES = (
    # direction, ethertype, remote group, whether it applies to groups other than the default one
    ("egress", "IPv4", None, True),
    ("egress", "IPv6", None, True),
    ("ingress", "IPv4", "PARENT", False),
    ("ingress", "IPv6", "PARENT", False),
)
_KIND = "securitygroupdefaultrules"


def main():
    """Create the tables and the default rules."""
    engine = sqlalchemy.create_engine(sys.argv[1])
    tables = head.get_metadata()
    tables.create_all(engine)
    rules, attributes = tables.tables[_KIND], tables.tables["standardattributes"]
    with engine.begin() as connection:
        if connection.execute(sqlalchemy.select(rules)).first():
            return
        for direction, ethertype, remote, everywhere in _RULES:
            attribute = connection.execute(
                sqlalchemy.insert(attributes).values(resource_type=_KIND, revision_number=0)
            )
            connection.execute(
                sqlalchemy.insert(rules).values(
                    id=str(uuid.uuid4()),
                    direction=direction,
                    ethertype=ethertype,
                    remote_group_id=remote,
                    used_in_default_sg=True,
                    used_in_non_default_sg=everywhere,
                    standard_attr_id=attribute.inserted_primary_key[0],
                )
            )


if __name__ == "__main__":
    main()
