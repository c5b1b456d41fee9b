"""Secrets do not appear in the text of the objects that hold them."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.making import FACTS, STORAGE

import refstack_client
from refstack_client.cloud.access import Access
from refstack_client.cloud.account import Account, new_password
from refstack_client.cloud.clouds_yaml import PortableConfig
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.selection import CloudSelection
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.tenant_plan import TenantKind
from refstack_client.running.resume import Options
from refstack_client.running.tempest_session import Session
from refstack_client.tempest.conf import Choices
from refstack_client.tempest.settings import Setting, is_secret
from refstack_client.tempest.tenant_roles import TenantRoles
from refstack_client.tempest.workspace import Workspace
from refstack_client.tenants.provision import Tenants

ROOMS = ("cloud", "planning", "running", "tempest", "tenants")
CANARY = "canary-in-a-coal-mine"
ACCOUNT = Account("alice", CANARY, "tests", "Default", ("member",))
SETTINGS = (Setting("identity", "admin_password", CANARY), Setting("a", "b", "visible"))
ROLES = TenantRoles("SwiftOperator", "ResellerAdmin")
REQUEST = CertificationRequest(STORAGE, "2020.06", CloudSelection(), None, None, SETTINGS, Path())
TENANTS = Tenants(TenantKind.THROWAWAY, (ACCOUNT,), ROLES, tempest_admin=ACCOUNT)
CHOICES = Choices((), (ACCOUNT,), ROLES, SETTINGS, "refstack-1", SETTINGS)
CLOUDS = {"clouds": {"c": {"auth": {"password": CANARY}}}}
HOLDERS = (
    ACCOUNT,
    SETTINGS,
    TENANTS,
    REQUEST,
    CHOICES,
    Options(Path(), settings=SETTINGS),
    PortableConfig("c", CLOUDS, {}),
    Cloud(CLOUDS, Access(), FACTS),
    Session(REQUEST, FACTS, Workspace(Path()), TENANTS, CHOICES, {}, {}),
)


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_the_text_of_an_object_has_no_secret(holder):
    assert CANARY not in repr(holder) + str(holder)


def dataclasses_of(room: str) -> Iterator[type]:
    """Yield the data classes that the modules of a room define."""
    package = importlib.import_module(f"{refstack_client.__name__}.{room}")
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for item in vars(module).values():
            if (
                isinstance(item, type)
                and dataclasses.is_dataclass(item)
                and item.__module__ == info.name
            ):
                yield item


@pytest.mark.parametrize("room", ROOMS)
def test_a_field_named_for_a_secret_is_not_in_the_text(room):
    fields = [field for item in dataclasses_of(room) for field in dataclasses.fields(item)]
    assert fields
    shown = [field.name for field in fields if field.repr and is_secret(field.name)]
    assert shown == []


def test_the_value_of_a_setting_is_shown_unless_it_is_a_secret():
    assert str(SETTINGS[1]) == "a.b=visible"
    assert "<redacted>" in repr(SETTINGS[0])


def test_passwords_differ_and_satisfy_common_rules():
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        assert any(character.isupper() for character in password)
        assert any(character.islower() for character in password)
        assert any(character.isdigit() for character in password)
        assert not password.isalnum()
