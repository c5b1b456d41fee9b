"""tempest.conf as Tempest's own parser reads it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg

from refstack_client.errors import UsageError
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.conf import Value
from refstack_client.tempest.settings import Setting, parse_settings
from refstack_client.tempest.swift_roles import choose_roles

VALUES = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), max_codepoint=0x2FF), min_size=1
).filter(lambda text: not text.isspace() or " " in text)


@given(value=VALUES)
def test_every_value_survives_the_dialect_of_oslo_config(value, tmp_path_factory):
    conf = {("auth", "admin_password"): Value(value, "given")}
    path = tmp_path_factory.mktemp("conf") / "tempest.conf"
    path.write_text(tempest_conf.render(conf, origins=True), encoding="utf-8")
    read = cfg.ConfigOpts()
    read.register_opt(cfg.StrOpt("admin_password"), group="auth")
    read([], default_config_files=[str(path)])
    assert read.auth.admin_password == value


def test_sections_come_in_the_same_order_whatever_was_found_first():
    conf = {(section, "a"): Value("1", "found") for section in ("volume", "DEFAULT", "auth")}
    back = dict(reversed(conf.items()))
    assert tempest_conf.render(conf) == tempest_conf.render(back)
    assert tempest_conf.render(conf).split()[0] == "[DEFAULT]"


def test_settings_are_read():
    assert parse_settings(["object-storage.operator_role = swift=op"]) == (
        ("object-storage", "operator_role", "swift=op"),
    )


@pytest.mark.parametrize("text", ["operator_role=x", "a.b", ".x=1", "a.=1"])
def test_a_setting_of_another_form_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"expected section\.option=value") as caught:
        parse_settings([text])
    assert "object-storage.operator_role" in caught.value.hint


@pytest.mark.parametrize(
    ("known", "settings", "expected"),
    [
        (["admin", "member"], (), ("member", "member")),
        (["Member", "SwiftOperator", "ResellerAdmin"], (), ("SwiftOperator", "ResellerAdmin")),
        (["member"], (Setting("object-storage", "operator_role", "op"),), ("op", "op")),
        (["member"], (Setting("auth", "operator_role", "op"),), ("member", "member")),
    ],
)
def test_roles_are_chosen_among_those_there_are(known, settings, expected):
    roles = choose_roles(known, settings)
    assert (roles.operator, roles.reseller_admin) == expected
