"""Public texts have published words and names only, so that no host survives in any spelling."""

import base64
import re
import string
import time
from importlib import resources
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refstack_client.outcomes import public_text
from refstack_client.outcomes.causes import of_failure, of_skip

DATA = resources.files("refstack_client") / "data"
WORDS, NAMES = (
    (DATA / name).read_text().lower().split() for name in ("public_words.txt", "public_names.txt")
)
HEX = "0123456789abcdef"
HOST = "keystone.corp.example"


@pytest.mark.parametrize(
    ("reason", "public"),
    [
        ("passed at attempt 2", "passed at attempt 2"),
        (f"has a name that cannot be resolved: {HOST}", "has a name that cannot be resolved: …"),
        (f"host '{HOST}' is not reachable", "host '…' is not reachable"),
        ("User admin-bob of project secret-project denied", "User … of project … denied"),
        ("User admin of project service denied", "User … of project … denied"),
        ("User Admin User denied", "User … User …"),
        ("[fd00:1:2::7]:5000 refused", "[…]… refused"),
        ("fe80::1%eth0 refused", "… refused"),
        ("10.0.0.7:5000", "…"),
        ("10.0.0.7 5000", "…"),
        ("::ffff:10.0.0.7", "…"),
        ("0x0a000007 3232235777 012.0.0.07", "…"),
        ("10 . 0 . 0 . 7 or 10, 0, 0, 7", "… or …"),
        ("mac fa:16:3e:11:22:33 fa-16-3e-11-22-33", "mac …"),
        ("ssh: connect to host compute-17.dc2 port 22", "ssh: connect to host … port …"),
        ("http:\\/\\/keystone.corp\\/v3", "…"),
        ("keystone.corp/v3/users HTTPS://Keystone.Corp/v3", "…"),
        ("keystone%2Ecorp%2Eexample failed", "… failed"),
        ("node compute-17", "node …"),
        ("node storage is down; host: controller", "node … is down; host: …"),
        ("file /home/alice/clouds.yaml", "file …"),
        (f"HTTPConnectionPool(host='{HOST}', port=80)", "HTTPConnectionPool(host='…', port=…)"),
        ('HTTPConnectionPool(host="keystone", port=80)', 'HTTPConnectionPool(host="…", port=…)'),
        ("{'x-host': 'api', 'region': \"api\"}", "{'…': '…', 'region': \"…\"}"),
        ("{'OS-EXT-SRV-ATTR:host': 'api'}", "{'OS-EXT-SRV-ATTR:host': '…'}"),
        ("No route to keystone.corp", "No route to …"),
        ("region RegionSecret", "region …"),
        ("Swift at localhost.localdomain:8080", "Swift at …"),
        ("bob@corp", "…"),
        (f"project {HEX * 2}", "project …"),
        ("id 01234567-89ab-cdef-0123-456789abcdef", "id …"),
        (f"AUTH_{HEX * 2}/container", "…"),
        ('group "Image Team Berlin" not found', 'group "…" not found'),
        ("１０.０.０.７ or ｋeystone or ke\u00adystone or key\u200bstone", "… or … or … or …"),
        ("кеуstone.corp xn--kystone-q2a.corp", "…"),
        ("keystone。corp keystone\u2024corp", "…"),
        ("amqp://guest:guest@rabbit:5672// timed out", "… timed out"),
        ("cut at the end of keysto…", "cut at the end of …"),
        ("10:22 took 1234 s, 196 s", "… took … s, 196 s"),
        ("tempest.lib.exceptions.ServerFault: x", "tempest.lib.exceptions.ServerFault: …"),
        ("os-floating-ips floating-ips-berlin", "os-floating-ips …"),
        ("test_create_server.corp users.servers", "…"),
        ("", ""),
    ],
)
def test_a_text_has_public_words_only(reason, public):
    assert public_text.text(reason) == public


@pytest.mark.parametrize(
    "name",
    [
        "setUpClass (tempest.api.compute.servers.test_create_server.ServersTestJSON)",
        "tempest.api.identity.v3.test_users.IdentityV3UsersTest.test_user_update_own_password"
        "[id-6031516b-3a8f-4d1b-8990-81a571b5f956]",
    ],
)
def test_names_of_published_tests_are_public(name):
    assert public_text.text(name) == name


def test_the_name_of_another_test_is_not():
    assert public_text.text("corp_plugin.tests.Berlin.test_x(10.0.0.7)[smoke]") == "…(…)[smoke]"


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("/v2.1/servers/7f3e2a10-9a1b/action", "/v2.1/servers/…/action"),
        ("/identity/v3/auth/tokens", "/identity/v3/auth/tokens"),
        ("/v3/users/admin/projects", "/v3/users/…/projects"),
        ("/v2.0/security-groups/12", "/v2.0/security-groups/…"),
        ("/v1/AUTH_0123/backup.tar/10.0.0.7", "/v1/…/…/…"),
        ("/v2.1/os-hosts/controller", "/v2.1/os-hosts/…"),
        ("/keystone.corp:5000/v3", "/…/v3"),
        ("", ""),
    ],
)
def test_a_path_has_the_parts_of_the_api_only(path, public):
    assert public_text.path(path) == public


def test_reasons_that_the_client_writes_are_complete():
    error = "Traceback (most recent call last):\n"
    for reason, _ in (
        of_skip(""),
        of_skip("bug#2147232"),
        of_failure("tempest.api.compute.x", "", ""),
        of_failure("tempest.api.network.x", f"{error}E: Connection refused", ""),
        of_failure("tempest.api.volume.x", f"{error}E: No route to host", ""),
        of_failure("x", f"{error}E: Tunnel connection failed", ""),
    ):
        expected = re.sub(r"https?:[^\s)]*", "…", reason)
        assert public_text.text(reason) == expected


def test_no_word_is_a_name_or_joined():
    assert sorted(set(WORDS)) == WORDS
    assert all(re.fullmatch(r"[a-z']+", word) for word in WORDS)
    names = {"controller", "berlin", "frankfurt", "paris", "alice", "bob", "demo", "master", "prod"}
    assert not names & {*WORDS, *NAMES}
    assert all(re.fullmatch(r"[a-z_][\w.:-]*[a-z0-9_]", name) for name in NAMES)


LABEL = st.text(string.ascii_lowercase + string.digits + "-_", min_size=1, max_size=12)
HOSTS = st.one_of(
    st.lists(LABEL, min_size=2, max_size=5).map(".".join),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda ip: ip.exploded),
    st.ip_addresses(v=4).map(lambda ip: f"::ffff:{ip}"),
    st.ip_addresses(v=4).map(lambda ip: hex(int(ip))),
    st.binary(min_size=6, max_size=6).map(lambda mac: mac.hex(":")),
    st.uuids().map(str),
    st.text(min_size=4, max_size=20).filter(lambda text: not re.search(r"[\x00-\x7f\s]", text)),
)
SPELLINGS = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        lambda host: quote(host, safe="").replace(".", "%2E"),
        lambda host: base64.b64encode(host.encode()).decode(),
        lambda host: f"https://{host}:5000/v3",
        lambda host: f"https:\\/\\/{host}\\/v3",
        lambda host: f"{host}/v3/users",
        lambda host: f"admin@{host}",
        lambda host: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in host),
        "\u200b".join,
        lambda host: host.encode().hex(),
        lambda host: host + ".",
    ]
)
DELIMITERS = st.text("\"'`()[]{}<>,;!?=|* \t\n:./\\-_@#%&+~…", max_size=4)
TEMPLATES = st.sampled_from(
    [
        "Keystone (identity) at {} refused the connection",
        "HTTPSConnectionPool(host={}, port=5000): Max retries exceeded with url: {}",
        "cannot be resolved:{}",
        "{} failed to reach ACTIVE status",
        "{{'message': \"Instance {} could not be found.\", 'code': 404}}",
        "{}{}{}",
    ]
)
PUBLIC = {*WORDS, *NAMES}


def is_word(part: str) -> bool:
    return part.lower().strip(".:") in PUBLIC or part.lower() in public_text._CONTINUING


@settings(max_examples=1000, deadline=None)
@given(TEMPLATES, HOSTS, SPELLINGS, DELIMITERS, DELIMITERS)
@example("at {}", "storage.api.corp", str, "", "")
@example("{}{}{}", "::", str, "", ":;/")
def test_nothing_of_a_host_survives(template, host, spelling, before, after):
    spelled = spelling(host)
    text = template.replace("{}", f"{before}{spelled}{after}")
    shown = public_text.text(text)
    words = set(re.findall(r"[\w.:%+/-]+", template.replace("{}", " ").lower()))
    left = re.findall(r"[^\s\"'`()\[\]{}<>,;!?=|*…]{4,}", shown.lower())
    assert [part for part in left if part not in words and not is_word(part)] == []
    for label in re.findall(r"[^\W_]{4,}", spelled):
        if label.lower() not in PUBLIC and label.lower() not in " ".join(words):
            assert label not in shown


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a ",
            "a",
            "a.",
            "a-",
            "1 ",
            "1.",
            "1 . ",
            "'",
            "'a'",
            "\"'",
            "a'",
            "a't",
            " ",
            "…",
            "… ",
        ),
        *(
            "user ",
            "tempest.",
            "\u200b",
            "test_x.",
            "'… ",
            "\u0301",
            "\x00",
            "=",
            "\\/",
            ":",
            "9" * 50,
        ),
    ],
)
def test_a_long_text_takes_less_than_a_second(piece):
    public_text.text("")
    long = piece * (1_000_000 // len(piece))
    for function in (public_text.text, public_text.path):
        started = time.process_time()
        function(long)
        assert time.process_time() - started < 1


@settings(max_examples=300)
@given(
    parts=st.lists(st.sampled_from([*NAMES[::50], *WORDS[::50], "10", "192.168.1.7", "corp"])),
    separator=st.sampled_from([".", "_", "-", ":", "/", ""]),
)
def test_a_text_of_one_token_is_shown_as_it_is_beside_others(parts, separator):
    """A text of one public token is not taken apart; with a space after it, it is."""
    text = separator.join(parts)
    assert public_text.text(f"{text} ") == f"{public_text.text(text)} "
