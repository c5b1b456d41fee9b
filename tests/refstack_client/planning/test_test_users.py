"""The users that test classes borrow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import catalogue, programme
from capabilities.guideline import Test
from refstack_client.planning import test_users
from refstack_client.planning.test_users import Users

SWIFT = "tempest.api.object_storage"
CLASSES = st.lists(st.builds(Users, st.integers(0, 3), st.integers(0, 2)), max_size=8)


@pytest.mark.parametrize(
    ("class_name", "users"),
    [
        ("tempest.api.compute.servers.test_servers.ServersTestJSON", Users(1)),
        ("tempest.api.identity.v3.test_projects.IdentityV3ProjectsTest", Users(2)),
        (f"{SWIFT}.test_container_services.ContainerTest", Users(1)),
        (f"{SWIFT}.test_container_acl.ObjectTestACLs", Users(2)),
        (f"{SWIFT}.test_account_quotas.AccountQuotasTest", Users(1, 1)),
        ("tempest.api.image.v2.test_images_member.ImagesMemberTest", Users(2)),
        ("tempest.api.no_such_module.C", test_users.UNKNOWN),
    ],
)
def test_what_a_class_borrows_is_read_from_its_credentials(class_name, users):
    assert test_users.of_class(class_name) == users
    assert test_users.of_test(Test(f"{class_name}.test_it")) == users


def at_a_time(guideline: str, name: str, workers: int, *, tempest_creates: bool = True) -> Users:
    wanted = programme.find(catalogue.load(guideline)[0], name)
    classes = test_users.of_programme(wanted, tempest_creates=tempest_creates)
    return test_users.at_a_time(classes, workers)


def test_the_programmes_need_few_users_more_than_they_have_workers():
    assert at_a_time("2020.06", "platform", 4) == Users(members=5, resellers=2)
    assert at_a_time("2020.06", "compute", 4) == Users(members=4)
    assert at_a_time("scs-0128", "scs-0128", 4) == Users(members=5)
    assert at_a_time("2020.06", "storage", 1) == Users(members=2, resellers=1)


def test_a_class_for_which_tempest_does_not_create_users_borrows_them():
    creates = at_a_time("2020.06", "storage", 4)
    borrows = at_a_time("2020.06", "storage", 4, tempest_creates=False)
    assert borrows.members == creates.members + 1


@given(CLASSES, st.integers(1, 6), st.data())
def test_the_users_suffice_for_any_classes_at_a_time_and_some_classes_need_them_all(
    classes, workers, data
):
    needed = test_users.at_a_time(classes, workers)
    chosen = data.draw(st.permutations(classes))[:workers]
    assert sum(users.members for users in chosen) <= needed.members
    assert sum(users.resellers for users in chosen) <= needed.resellers
    most = sorted(classes, key=lambda users: -users.members)[:workers]
    assert needed.members == max(1, sum(users.members for users in most))
    most = sorted(classes, key=lambda users: -users.resellers)[:workers]
    assert needed.resellers == sum(users.resellers for users in most)


@given(CLASSES, st.integers(1, 6), st.integers(0, 12), st.integers(0, 4))
def test_workers_are_the_most_that_the_users_suffice_for(classes, wanted, members, resellers):
    count = test_users.workers_for(classes, Users(members, resellers), wanted)

    def suffice(workers: int) -> bool:
        needed = test_users.at_a_time(classes, workers)
        return needed.members <= members and needed.resellers <= (resellers or 99)

    assert 1 <= count <= wanted
    assert count == 1 or suffice(count)
    assert count == wanted or not suffice(count + 1)
