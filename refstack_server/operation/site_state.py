"""Digests of what the files of an export follow from: if one is the same, so are its files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.settings import LOG_KEY, LOG_ORIGIN, Settings
from refstack_server.store import audit_log
from refstack_server.store.results import LISTED
from refstack_server.store.schema import (
    Cosignature,
    Decision,
    Product,
    ProductVersion,
    Result,
    Vendor,
    now,
)

_PACKAGES = ("capabilities", "scoring", "refstack_client", "refstack_server")
_ROWS_AT_A_TIME = 1000


def of_program(settings: Settings) -> str:
    """Return the digest of the code, templates and data of the program, and of the settings."""
    shown = (settings.public_url, settings.name, settings.page_size)
    found = hashlib.sha256(f"{shown}\n".encode())
    for package in _PACKAGES:
        for name, content in _files(resources.files(package), package):
            found.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return found.hexdigest()


def _files(place: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _files(entry, f"{name}/{entry.name}")
        else:
            yield f"{name}/{entry.name}", entry.read_bytes()


def of_results(session: Session, program: str) -> dict[str, str]:
    """Return the digest of each public result by its id, the newest first.

    The outcomes of a result never change.
    """
    query = sa.select(Decision.result_id, sa.func.max(Decision.number)).group_by(Decision.result_id)
    decisions = dict(session.execute(query).tuples().all())
    columns = [column for column in Result.__table__.columns if column.name != "outcomes"]
    rows = session.execute(
        sa.select(*columns, *ProductVersion.__table__.columns, *Product.__table__.columns)
        .add_columns(Vendor.name)
        .outerjoin(ProductVersion, ProductVersion.id == Result.product_version_id)
        .outerjoin(Product, Product.id == ProductVersion.product_id)
        .outerjoin(Vendor, Vendor.id == Product.organization_id)
        .where(LISTED)
        .order_by(Result.number.desc()),
        execution_options={"yield_per": _ROWS_AT_A_TIME},
    )
    id_, until = (
        columns.index(Result.__table__.c.id),
        columns.index(Result.__table__.c.verified_until),
    )
    time = now()
    return {
        row[id_]: _digest(
            program, *row, decisions.get(row[id_]), row[until] is None or time < row[until]
        )
        for row in rows
    }


def of_server(
    session: Session, settings: Settings, program: str, results: Mapping[str, str]
) -> str:
    """Return the digest of everything that is public on the server.

    :param results: as :func:`of_results` returns it
    """
    tables = (Vendor.__table__, Product.__table__, ProductVersion.__table__)
    rows = [
        tuple(row)
        for table in tables
        for row in session.execute(sa.select(table).order_by(*table.primary_key))
    ]
    cosignatures = session.scalar(sa.select(sa.func.count()).select_from(Cosignature))
    keys = (settings.data / name for name in (LOG_KEY, LOG_ORIGIN))
    contents = [path.read_bytes().hex() if path.exists() else "" for path in keys]
    log = audit_log.length(session)
    return _digest(program, results, rows, cosignatures, log, contents)


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values, default=str).encode()).hexdigest()
