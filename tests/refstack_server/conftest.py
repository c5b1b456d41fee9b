import pytest
from serving import Person, Server, add_user, person, serving


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> dict[str, Person]:
    return {name: person(name) for name in ("alice", "bob", "carol", "root")}


@pytest.fixture(scope="module")
def server(tmp_path_factory, people) -> Server:
    """A server on which four people have keys; root acts for the foundation."""
    data = tmp_path_factory.mktemp("server") / "data"
    for who in people.values():
        add_user(data, who, *(["--foundation"] if who.openid.endswith("root") else []))
    with serving(data) as started:
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
