"""Changes that the proxy of a sandbox makes to the responses of services."""

import pytest

from refstack_client.sandbox.programs.shaped_answers import (
    with_catalog,
    with_links,
    with_role_names,
    with_roles,
)

SWIFT = {"type": "object-store", "endpoints": [{"url": "http://h/v1/AUTH_%(project_id)s"}]}
NAMES = {"member": "_member_", "reader": None, "service": None}


def service(url: str) -> dict[str, object]:
    return {"type": "object-store", "endpoints": [{"url": url}]}


@pytest.mark.parametrize(
    ("document", "project", "changed"),
    [
        ({"catalog": []}, "p", {"catalog": [service("http://h/v1/AUTH_p")]}),
        ({"catalog": []}, None, {"catalog": [{"type": "object-store", "endpoints": []}]}),
        (
            {"token": {"catalog": [], "user": {}}},
            "p",
            {"token": {"catalog": [service("http://h/v1/AUTH_p")], "user": {}}},
        ),
        ({"token": {"user": {}}}, None, {"token": {"user": {}}}),
        ({"users": []}, None, {"users": []}),
    ],
)
def test_the_catalog_is_replaced_where_there_is_one(document, project, changed):
    assert with_catalog(document, [SWIFT], project) == changed


@pytest.mark.parametrize(
    ("document", "changed"),
    [
        (
            {"roles": [{"name": "member", "id": "1"}, {"name": "reader"}, {"name": "admin"}]},
            {"roles": [{"name": "_member_", "id": "1"}, {"name": "admin"}]},
        ),
        ({"role": {"name": "member"}}, {"role": {"name": "_member_"}}),
        (
            {"token": {"roles": [{"name": "reader"}, {"name": "member"}]}},
            {"token": {"roles": [{"name": "_member_"}]}},
        ),
        (
            {"role_assignments": [{"role": {"name": "reader"}}, {"role": {"id": "1"}}]},
            {"role_assignments": [{"role": {"id": "1"}}]},
        ),
        # Projects and users with the name of a role are not roles.
        (
            {"projects": [{"name": "service"}], "users": [{"name": "member"}]},
            {"projects": [{"name": "service"}], "users": [{"name": "member"}]},
        ),
    ],
)
def test_roles_are_renamed_and_left_out(document, changed):
    assert with_roles(document, NAMES) == changed


def test_clients_ask_for_roles_by_the_name_that_they_see():
    assert with_role_names("/v3/roles?name=_member_", NAMES) == "/v3/roles?name=member"
    assert with_role_names("/v3/users?name=alice", NAMES) == "/v3/users?name=alice"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ('"http://h:80/v3/"', '"https://h:80/identity/v3/"'),
        ('"http://h:80"', '"https://h:80/identity"'),
        ('"http://h:8080/v3"', '"http://h:8080/v3"'),
        ('"http://h2:80/v3"', '"http://h2:80/v3"'),
    ],
)
def test_links_to_the_origin_of_the_request_are_changed(text, changed):
    assert with_links(text, "h:80", "", "https://h:80/identity") == changed
