"""RefStack v1: a server that behaves like the original, over real HTTP and TLS."""

import datetime
import io
import ipaddress
import json
import socket
import ssl
import subprocess
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tenacity
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from support.making import FACTS

from capabilities import catalogue, programme
from refstack_client.cli.app import main
from refstack_client.outcomes import cpid, refstack_json, subunit_stream
from refstack_client.upload import http
from scoring.conformance import verdict
from scoring.conformance.outcomes import Outcome

STORAGE = programme.find(catalogue.load("2020.06")[0], "storage")
ENDPOINT = "https://cloud.example.org:5000/v3"


class Handler(BaseHTTPRequestHandler):
    """Answers as the original server does, after the errors of its list."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        self.answer(*self.judge(body))

    def judge(self, body):
        if self.server.errors:
            return self.server.errors.pop(0), {}
        if "X-Public-Key" in self.headers:
            key = serialization.load_ssh_public_key(self.headers["X-Public-Key"].encode())
            signature = bytes.fromhex(self.headers["X-Signature"])
            try:
                key.verify(signature, body, padding.PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                return 400, {"code": 400, "title": "Signature verification failed"}
            if self.headers["X-Public-Key"] != self.server.registered:
                detail = "User with specified key not found."
                return 401, {"code": 401, "title": "Unauthorized", "detail": detail}
        document = json.loads(body)
        if document.keys() != {"cpid", "duration_seconds", "results"}:
            return 400, {"title": "Request doesnt correspond to schema"}
        return (201, {"test_id": "1", "url": "https://refstack/#/results/1"})

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers), b""))
        page = int(self.path.partition("page=")[2].partition("&")[0])
        row = {"created_at": f"2020-01-0{page} 00:00:00", "url": f"u{page}", "meta": {}}
        pages = {"current_page": page, "total_pages": 3}
        self.answer(200, {"results": [row], "pagination": pages})

    def answer(self, status, document):
        if status == 0:  # break off the connection
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.errors, self.registered = [], [], ""
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(http, "WAIT", tenacity.wait_none())
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def results(writer, tmp_path: Path) -> Path:
    """A stream with passes, one of them twice, a failure, a skip and a class that failed."""
    names = [f"{test.name}[{test.idempotent_id}]" for test in STORAGE.counted_tests()[:5]]
    for name, status in zip(names, ("success", "fail", "skip", "success", "success"), strict=True):
        writer.test(name, status, traceback="E: no", reason="no")
    writer.test(names[0], "success")
    writer.test("setUpClass (mod.Class)", "fail", traceback="E: no")
    path = tmp_path / "run.subunit"
    path.write_bytes(writer.content)
    return path


def ssh_key(path: Path, *options: str, passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", *options, "-N", passphrase]
    subprocess.run([*command, "-f", str(path)], check=True)
    return path


def upload(server: Server, path: Path, *options: str) -> int:
    command = ["upload-subunit", str(path), "--keystone-endpoint", ENDPOINT, "--url", server.url]
    return main([*command, "-y", *options])


def test_only_passes_are_uploaded_each_once_with_its_id(server, results, capsys):
    assert upload(server, results) == 0
    ((path, headers, body),) = server.seen
    assert (path, headers["Content-Type"]) == ("/v1/results", "application/json")
    assert "X-Signature" not in headers
    document = json.loads(body)
    passed = [STORAGE.counted_tests()[number] for number in (0, 3, 4)]
    assert document == {
        "cpid": cpid.of_endpoint(ENDPOINT),
        "duration_seconds": 0,
        "results": [
            {"name": test.name, "uuid": test.idempotent_id.removeprefix("id-")} for test in passed
        ],
    }
    assert capsys.readouterr().out == (
        "Test results uploaded!\nURL: https://refstack/#/results/1\n"
    )


def test_each_scenario_that_passed_is_sent_under_its_own_name(writer):
    scenario = "mod.Class.both[id-11111111-1111-1111-1111-111111111111]"
    writer.test(f"{scenario}(v1)", "success")
    writer.test(f"{scenario}(v2)", "fail", traceback="E: no")
    writer.test("mod.Gone.one[id-22222222-2222-2222-2222-222222222222]", "success")
    writer.test("setUpClass (mod.Gone)", "fail", traceback="E: no")
    writer.test("mod.Class.good[id-33333333-3333-3333-3333-333333333333,smoke]", "success")
    found = refstack_json.of_outcomes(subunit_stream.parse(writer.content, "x"), "c")
    assert found.passes == (
        ("mod.Class.both(v1)", "11111111-1111-1111-1111-111111111111"),
        ("mod.Class.good", "33333333-3333-3333-3333-333333333333"),
    )


def test_half_a_pass_is_no_pass_when_it_is_read_back():
    """Only passes are listed: whether another scenario of the test failed is not known."""
    test = STORAGE.counted_tests()[0]
    passed = {"name": f"{test.name}(v1)", "uuid": test.idempotent_id.removeprefix("id-")}
    document = {"cpid": "c", "duration_seconds": 1, "results": [passed]}
    found = refstack_json.read(json.dumps(document).encode(), "x")
    assert verdict.judge(STORAGE, found.outcomes()).count(Outcome.PASS) == 0


def test_nothing_of_a_netrc_is_sent_and_a_redirect_is_not_followed(
    server, results, tmp_path, monkeypatch, capsys
):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password c4nary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.errors = [302]
    assert upload(server, results) == 4
    assert upload(server, results) == 0
    assert all("Authorization" not in headers for _, headers, _ in server.seen)
    assert len(server.seen) == 2
    assert "refused the results: 302" in capsys.readouterr().err


@pytest.mark.parametrize("options", [(), ("-m", "PEM"), ("-m", "PKCS8")])
def test_the_exact_body_is_signed_with_an_rsa_key_of_any_form(server, results, tmp_path, options):
    key = ssh_key(tmp_path / "key", *options)
    server.registered = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    assert upload(server, results, "-i", str(key)) == 0


def test_a_key_that_is_not_registered_or_not_rsa_is_said(server, results, tmp_path, capsys):
    key = ssh_key(tmp_path / "key")
    assert upload(server, results, "--sign", str(key)) == 4
    said = capsys.readouterr().err
    assert "401 Unauthorized: User with specified key not found." in said
    assert "refstack-client sign KEY" in said
    assert len(server.seen) == 1
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ed")], check=True
    )
    assert upload(server, results, "-i", str(tmp_path / "ed")) == 4
    assert "is not an RSA key" in capsys.readouterr().err
    assert upload(server, results, "-i", str(tmp_path / "absent")) == 4
    assert len(server.seen) == 1


def test_an_encrypted_key_asks_on_a_terminal_only(server, results, tmp_path, capsys, monkeypatch):
    key = ssh_key(tmp_path / "key", passphrase="c4nary")
    pem = ssh_key(tmp_path / "pem", "-m", "PEM", passphrase="c4nary")
    for each in (key, pem):
        server.registered = " ".join(each.with_suffix(".pub").read_text().split()[:2])
        assert upload(server, results, "-i", str(each)) == 4
        assert "is encrypted, and there is no terminal" in capsys.readouterr().err
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("getpass.getpass", lambda prompt: "c4nary")
        assert upload(server, results, "-i", str(each)) == 0
        printed = capsys.readouterr()
        assert "c4nary" not in printed.out + printed.err
        monkeypatch.undo()
        monkeypatch.setattr(http, "WAIT", tenacity.wait_none())


@pytest.mark.parametrize("errors", [[500], [503, 0, 502]])
def test_what_may_pass_is_tried_again(server, results, capsys, errors):
    server.errors = list(errors)
    assert upload(server, results) == 0
    assert len(server.seen) == len(errors) + 1
    assert capsys.readouterr().err.count("trying again in") == len(errors)


def test_a_server_that_stays_broken_or_away_is_given_up(server, results, capsys):
    server.errors = [500] * 9
    assert upload(server, results) == 5
    assert len(server.seen) == http.ATTEMPTS
    assert "answered 500, 4 times" in capsys.readouterr().err
    command = ["upload-subunit", str(results), "--keystone-endpoint", ENDPOINT, "-y"]
    assert main([*command, "--url", "http://127.0.0.1:1"]) == 5
    assert "could not be reached, 4 times" in capsys.readouterr().err
    assert main([*command, "--url", "nowhere"]) == 4
    assert "is not a valid URL of a server" in capsys.readouterr().err


def test_a_refusal_is_never_tried_again(server, results, capsys):
    server.errors = [400]
    assert upload(server, results) == 4
    assert len(server.seen) == 1
    assert "refused the results: 400" in capsys.readouterr().err


def test_a_dry_run_shows_the_exact_request_and_sends_nothing(server, results, tmp_path, capsys):
    key = ssh_key(tmp_path / "key")
    assert upload(server, results, "--dry-run", "-i", str(key)) == 0
    head, _, body = capsys.readouterr().out.partition("\n\n")
    assert server.seen == []
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    public = serialization.load_ssh_public_key(headers["X-Public-Key"].encode())
    signature = bytes.fromhex(headers["X-Signature"])
    public.verify(signature, body.strip().encode(), padding.PKCS1v15(), hashes.SHA256())
    assert "PRIVATE" not in head


def test_without_a_yes_nothing_is_sent(server, results, capsys, monkeypatch):
    command = ["upload-subunit", str(results), "--keystone-endpoint", ENDPOINT]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main([*command, "--url", server.url]) == 2
    assert "without confirmation: -y" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main([*command, "--url", server.url]) == 130
    assert server.seen == []


@pytest.mark.parametrize("answer", ["y", "YES\n", "yes\nmore\n"])
def test_a_pipe_may_answer(server, results, capsys, monkeypatch, answer):
    command = ["upload-subunit", str(results), "--keystone-endpoint", ENDPOINT]
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main([*command, "--url", server.url]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Test results will be uploaded to {server.url}. Ok? (yes/y): ",
        "Test results uploaded!",
        "URL: https://refstack/#/results/1",
    ]


def test_with_silent_only_warnings_and_the_result_are_shown(server, results, capsys):
    assert upload(server, results, "-s", "-k") == 0
    printed = capsys.readouterr()
    assert printed.err == "warning: TLS certificates are not checked\n"
    assert printed.out.startswith("Test results uploaded!\n")


def test_a_json_file_is_uploaded_and_judged(server, results, tmp_path, capsys):
    found = refstack_json.of_outcomes(subunit_stream.read(results), "my-cloud", 7)
    path = tmp_path / "results.json"
    path.write_bytes(refstack_json.body(found))
    assert main(["upload", str(path), "--url", server.url, "-y"]) == 0
    assert json.loads(server.seen[0][2])["duration_seconds"] == 7
    capsys.readouterr()
    assert main(["verdict", str(path), "--programme", "storage", "-f", "json"]) == 3
    assert json.loads(capsys.readouterr().out)["required"]["passed"] == 3
    names = {"id": "1", "results": [test.name for test in STORAGE.counted_tests()]}
    path.write_text(json.dumps(names))  # as the server gives them back
    assert main(["verdict", str(path), "--programme", "storage"]) == 0


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"cpid": "c", "duration_seconds": 1, "results": []}, "no test passed"),
        ({"cpid": "c" * 129, "duration_seconds": 1, "results": ["a.b"]}, "/cpid: 1 to 128"),
        ({"cpid": "c", "duration_seconds": 2**31, "results": ["a.b"]}, "is not from 0 to"),
        ({"cpid": "c", "duration_seconds": "1", "results": ["a.b"]}, "whole number"),
        ({"cpid": "c", "duration_seconds": 1, "results": [{"uuid": "x"}]}, "/results/0: expected"),
        ({"cpid": "c", "duration_seconds": 1, "results": ["a" * 513]}, "1 to 512 characters"),
        ({"cpid": "c", "duration_seconds": 1, "results": ["aλ"]}, "Latin-1 only"),
        ({"cpid": "c"}, "/results: expected a list"),
        ([], "/results: expected a list"),
    ],
)
def test_what_the_server_would_choke_on_is_refused_before(
    server, tmp_path, capsys, document, message
):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document))
    assert main(["upload", str(path), "--url", server.url, "-y"]) == 4
    assert message in capsys.readouterr().err
    assert server.seen == []


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]{1,8}(\.[A-Za-z_]{1,8}){1,3}", fullmatch=True),
            st.uuids().map(str) | st.just(""),
        ),
        min_size=1,
    ),
    st.integers(0, 2**31 - 1),
)
def test_what_is_exported_is_read_back(passes, seconds):
    found = refstack_json.read(
        json.dumps(
            {
                "cpid": "c",
                "duration_seconds": seconds,
                "results": [{"name": name, "uuid": uuid} for name, uuid in passes],
            }
        ).encode(),
        "x",
    )
    refstack_json.check(found, "x")
    assert refstack_json.read(refstack_json.body(found), "x") == found
    lowered = [name.lower() for name, _ in found.passes]
    assert len(lowered) == len(set(lowered))
    again = refstack_json.of_outcomes(found.outcomes(), "c", seconds)
    assert again == found


def test_the_cpid_is_the_old_clients_and_a_host_many_have_is_told(server, results, capsys):
    assert cpid.of_endpoint("https://localhost:5000/v3") == "421aa90e079fa326b6494f812ad13e79"
    assert cpid.of_facts(replace(FACTS, auth_url=ENDPOINT, identity_service="abc")) == "abc"
    collides = ["http://127.0.0.1:5000/v3", "http://10.0.0.1/v3", "http://controller/v3"]
    assert [cpid.collides(url) for url in (*collides, ENDPOINT)] == [True, True, True, False]
    command = ["upload-subunit", str(results), "--url", server.url, "-y"]
    assert main([*command, "--keystone-endpoint", "http://10.0.0.1/v3"]) == 0
    assert "the same cpid" in capsys.readouterr().err
    assert main([*command, "--keystone-endpoint", "controller"]) == 2
    assert main(command) == 2


def test_a_key_signs_itself_to_be_registered(tmp_path, capsys):
    key = ssh_key(tmp_path / "key")
    assert main(["sign", "-s", "-y", str(key)]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "Public key:"
    public = serialization.load_ssh_public_key(lines[1].encode())
    signature = bytes.fromhex(lines[lines.index("Self signature:") + 1])
    public.verify(signature, b"signature", padding.PKCS1v15(), hashes.SHA256())


def test_results_are_listed_over_pages_with_filters(server, capsys):
    command = ["list", "--url", server.url, "--start-date", "2020-01-01 00:00:00", "-f", "json"]
    assert main(command) == 0
    assert [each["url"] for each in json.loads(capsys.readouterr().out)] == ["u1", "u2", "u3"]
    assert all("start_date=2020-01-01+00%3A00%3A00" in path for path, _, _ in server.seen)
    server.seen.clear()
    lines = ["list", "--url", server.url, "-s", "-y", "-k", "-i", "absent.key"]
    assert main(lines) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"2020-01-0{page} 00:00:00 - u{page}" for page in (1, 2, 3)
    ]
    assert main(["list", "--url", server.url, "-c", "url"]) == 0
    assert capsys.readouterr().out.split() == ["u1", "u2", "u3"]
    assert main([*command, "--limit", "2"]) == 0
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 2
    assert "more than 2" in printed.err


def certificate(place: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1 and its key, and return the former's path."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (place / "tls.key").write_bytes(private)
    (place / "tls.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return place / "tls.pem"


def test_an_unknown_authority_is_refused_unless_named_or_waved_through(
    server, results, tmp_path, capsys, monkeypatch
):
    chain = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, tmp_path / "tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.scheme = "https"
    assert upload(server, results) == 5
    said = capsys.readouterr().err
    assert "cannot be verified" in said
    assert "--cacert FILE" in said
    assert upload(server, results, "--cacert", str(chain)) == 0
    assert upload(server, results, "--cacert", "absent.pem") == 4
    capsys.readouterr()
    assert upload(server, results, "-k") == 0
    assert "TLS certificates are not checked" in capsys.readouterr().err


def test_a_proxy_is_used(server, results, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    command = ["upload-subunit", str(results), "--keystone-endpoint", ENDPOINT, "-y"]
    assert main([*command, "--url", "http://refstack.example.org/api"]) == 0
    assert server.seen[0][0] == "http://refstack.example.org/api/v1/results"
