from collections.abc import Iterator

import pytest
from support import postgresql
from support.identities import CLIENT_ID, SECRET, Provider, providing
from support.serving import Person, Server, add_user, person, serving


@pytest.fixture(scope="session")
def postgres(tmp_path_factory) -> Iterator[str]:
    """Run PostgreSQL; yield its URL, in which NAME stands for the name of the database."""
    found = postgresql.programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    with postgresql.running(tmp_path_factory.mktemp("postgresql"), found) as url:
        yield url


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)]
)
def database(request) -> str:
    """Return the URL of a new database, "" for SQLite in the data directory."""
    if request.param == "sqlite":
        return ""
    return postgresql.new_database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="module")
def people() -> dict[str, Person]:
    return {name: person(name) for name in ("alice", "bob", "carol", "root")}


@pytest.fixture(scope="module")
def server(tmp_path_factory, people, database) -> Iterator[Server]:
    """Run a server with four users who have keys; root acts for the Foundation."""
    data = tmp_path_factory.mktemp("server") / "data"
    for name, who in people.items():
        add_user(data, who, database, is_foundation=name == "root")
    where = ["--database", database] if database else []
    with serving(data, *where, "--uploads-per-minute", "0") as started:
        yield started


@pytest.fixture
def alice(people) -> Person:
    return people["alice"]


@pytest.fixture
def bob(people) -> Person:
    return people["bob"]


@pytest.fixture
def carol(people) -> Person:
    return people["carol"]


@pytest.fixture
def root(people) -> Person:
    return people["root"]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as started:
        yield started


@pytest.fixture(scope="module")
def served(tmp_path_factory, provider) -> Iterator[Server]:
    """Run a server at which users of the identity provider sign in."""
    place = tmp_path_factory.mktemp("signin")
    (place / "secret").write_text(f"{SECRET}\n")
    options = ["--oidc-issuer", provider.url, "--oidc-client", CLIENT_ID]
    with serving(place / "data", *options, "--oidc-secret", place / "secret") as started:
        yield started
