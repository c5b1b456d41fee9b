"""What Sovereign Cloud Stack has: a runner of check programs, and a compliance monitor."""

import base64
import contextlib
import http.server
import json
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

RESULTS = {"PASS": 1, "ABORT": 0, "FAIL": -1}
LEVELS = ("info", "warning", "error", "critical")


@dataclass(frozen=True)
class Invocation:
    """A check program that ran; a test case that is not among the results is missing."""

    results: Mapping[str, int]
    rc: int
    stdout: Sequence[str]
    stderr: Sequence[str]
    counts: Mapping[str, int]


def invoke(program: Path, args: str, os_cloud: str, testcases: Sequence[str]) -> Invocation:
    """Run a check program and read what it prints.

    :param args: as in a scope file, with ``{os_cloud}`` and ``{testcases}``
    """
    words = shlex.split(args.format(os_cloud=os_cloud, testcases=" ".join(testcases)))
    done = subprocess.run(
        [program, *words], capture_output=True, text=True, timeout=900, check=False
    )
    return read(done.stdout, done.stderr, done.returncode, testcases)


def read(stdout: str, stderr: str, rc: int, testcases: Sequence[str]) -> Invocation:
    found = {}
    for line in stdout.splitlines():
        name, colon, result = line.rpartition(":")
        if colon and result.strip().upper() in RESULTS and name.strip() in testcases:
            found[name.strip()] = RESULTS[result.strip().upper()]
    lines = [*stderr.splitlines(), *stdout.splitlines()]
    counts = {level: sum(line.lower().startswith(level) for line in lines) for level in LEVELS}
    return Invocation(found, rc, stdout.splitlines(), stderr.splitlines(), counts)


_STRINGS = {"type": "array", "items": {"type": "string"}}
_UUID = {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
SCHEMA = {
    "type": "object",
    "required": ["spec", "checked_at", "reference_date", "subject", "run"],
    "not": {"required": ["versions"]},  # with it results are not taken from the invocations
    "properties": {
        "spec": {
            "type": "object",
            "required": ["uuid", "name", "url"],
            "additionalProperties": False,
            "properties": {
                "uuid": {"const": "50393e6f-2ae1-4c5c-a62c-3b75f2abef3f"},
                "name": {"const": "SCS-compatible IaaS"},
                "url": {"type": "string", "pattern": "scs-compatible-iaas.yaml$"},
            },
        },
        "subject": {"type": "string", "minLength": 1},
        "run": {
            "type": "object",
            "required": [
                *("uuid", "argv", "assignment", "sections"),
                *("forced_version", "forced_tests", "invocations"),
            ],
            "additionalProperties": False,
            "properties": {
                "uuid": _UUID,
                "argv": _STRINGS,
                "assignment": {
                    "type": "object",
                    "required": ["os_cloud"],
                    "additionalProperties": {"type": "string"},
                },
                "sections": {"type": "null"},
                "forced_version": {"type": "null"},
                "forced_tests": {"type": "null"},
                "invocations": {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": _UUID,
                    "additionalProperties": {
                        "type": "object",
                        "required": ["id", "cmd", "results", "rc", "stdout", "stderr", *LEVELS],
                        "additionalProperties": False,
                        "properties": {
                            "id": _UUID,
                            "cmd": {"type": "string"},
                            "results": {
                                "type": "object",
                                "minProperties": 1,
                                "additionalProperties": {"enum": [1, 0, -1]},
                            },
                            "rc": {"type": "integer"},
                            "stdout": _STRINGS,
                            "stderr": _STRINGS,
                            **{level: {"type": "integer", "minimum": 0} for level in LEVELS},
                        },
                    },
                },
            },
        },
    },
}
"""The form of a report, without the dates, which JSON does not have."""


@dataclass(frozen=True)
class Account:
    """An account on the monitor: what it may report on, and its registered keys."""

    password: str
    keys: Sequence[str]
    subjects: Sequence[str]


class RefusalError(Exception):
    """The monitor refuses a request: status and detail."""


@dataclass
class Monitor:
    """A compliance monitor: it receives reports as SCS's does, and keeps them by UUID."""

    url: str
    accounts: dict[str, Account]
    reports: dict[str, dict] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    accepts: str = "application/x-signed-yaml"

    def receive(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Return status and detail of the answer to ``POST /reports``."""
        self.bodies.append(body)
        try:
            new = self._checked(headers, body)
        except RefusalError as refusal:
            return refusal.args
        self.reports.update(new)
        return 200, ""

    def _checked(self, headers: Mapping[str, str], body: bytes) -> dict[str, dict]:
        """Return the reports of a request by UUID, or refuse it."""
        account = self._account(headers.get("Authorization", ""))
        if account is None:
            raise RefusalError(401, "Incorrect username or password")
        if headers.get("Content-Type") != self.accepts:
            raise RefusalError(415, "Unsupported Media Type")
        end = b"-----END SSH SIGNATURE-----\n&"
        signature, separator, text = body.partition(end)
        if not separator:
            raise RefusalError(401, "missing signature")
        if not verified(account.keys, signature + end[:-1], text):
            raise RefusalError(401, "verification failed")
        documents = list(yaml.safe_load_all(text))
        if any(document["subject"] not in account.subjects for document in documents):
            raise RefusalError(401, "delegation problem?")
        new = {document["run"]["uuid"]: document for document in documents}
        if len(new) < len(documents) or new.keys() & self.reports.keys():
            raise RefusalError(409, "Conflict: report already present")
        return new

    def _account(self, header: str) -> Account | None:
        name, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        account = self.accounts.get(name)
        return account if account and account.password == password else None


def verified(keys: Sequence[str], signature: bytes, text: bytes) -> bool:
    """Return whether one of the keys signed a text, for the namespace of reports."""
    with tempfile.TemporaryDirectory() as directory:
        signers, sig = Path(directory, "signers"), Path(directory, "sig")
        signers.write_text("".join(f"mail@csp.example {key}\n" for key in keys))
        sig.write_bytes(signature)
        name = ("-I", "mail@csp.example", "-n", "report")
        done = subprocess.run(
            ["ssh-keygen", "-Y", "verify", "-f", signers, *name, "-s", sig],
            input=text,
            capture_output=True,
            check=False,
        )
    return done.returncode == 0


@contextlib.contextmanager
def monitor(**accounts: Account) -> Iterator[Monitor]:
    """Run a monitor on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/reports":
                status, detail = 404, "Not Found"
            else:
                status, detail = running.receive(self.headers, body)
            content = json.dumps({"detail": detail} if detail else None).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Monitor(f"http://127.0.0.1:{server.server_port}", accounts)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()
