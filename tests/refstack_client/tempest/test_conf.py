"""tempest.conf as Tempest's own parser reads it back."""

from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg

from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.conf import Value

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
