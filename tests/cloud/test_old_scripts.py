"""Scripts and commands for the original refstack-client, executed.

The scripts are like those that vendors, roles and jobs have. The commands are those of the
original's documentation, in the table of ``docs/reference/refstack-v1-commands.csv``. Each is run
in a directory like the one that its author had: a checkout of refstack-client with a virtual
environment, openrc files, an accounts file and keys.
"""

import csv
import gzip
import json
import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openstack
import pytest
from cryptography.hazmat.primitives import serialization
from support.certifying import CLIENT, ROOT, secrets_of, tenants_of
from support.serving import Server, add_user, person, serving

from refstack_client.cli.app import Shell
from refstack_client.cli.options import tempest_run
from refstack_client.errors import UsageError
from refstack_client.sandbox.state import Sandbox

pytestmark = pytest.mark.cloud

SCRIPTS = sorted((ROOT / "tests" / "data" / "old_scripts").glob("*.sh"))
EXPECT = "# expect: "
TABLE = ROOT / "docs" / "reference" / "refstack-v1-commands.csv"
FOUNDATION = "https://refstack.openstack.org/api"
NAME = "tempest.api.object_storage.test_container_services.ContainerTest.test_create_container"


LISTED = f"{NAME}[id-92139d73-7819-4db1-85f8-3f2f22a8d91f]"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with a user, whose key is beside its data."""
    data = tmp_path_factory.mktemp("collector") / "data"
    alice = person("alice")
    add_user(data, alice)
    key = alice.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    (data.parent / "key").write_bytes(key)
    with serving(data, "--uploads-per-minute", "0") as server:
        yield server


@pytest.fixture
def environ(place: Path, sandbox: Sandbox, collector: Server) -> dict[str, str]:
    """Fill the working directory; return the environment of a script."""
    work = Path.cwd()
    client = work / "refstack-client"
    (client / ".venv" / "bin").mkdir(parents=True)
    (client / "etc").mkdir()
    (client / "refstack-client").symlink_to(CLIENT)
    path = shlex.quote(str(Path(CLIENT).parent))
    (client / ".venv" / "bin" / "activate").write_text(f"export PATH={path}:$PATH\n")
    for name, cloud in (("adminrc", "sandbox"), ("tenantrc", "sandbox-tenant")):
        auth = openstack.connect(cloud=cloud).config.get_auth_args()
        values = {**auth, "region_name": "RegionOne", "identity_api_version": 3}
        Path(name).write_text(
            "".join(
                f"export OS_{key.upper()}={shlex.quote(str(value))}\n"
                for key, value in values.items()
            )
        )
    Path("id_rsa.refstack").write_bytes((collector.data.parent / "key").read_bytes())
    Path("id_rsa.refstack").chmod(0o600)
    Path("short-list.txt").write_text(f"{LISTED}\n")
    stream = ROOT / "tests" / "data" / "storage.subunit.gz"
    Path("run.subunit").write_bytes(gzip.decompress(stream.read_bytes()))
    results = {"cpid": "cloud", "duration_seconds": 1, "results": [{"name": NAME}]}
    Path("results.json").write_text(json.dumps(results))
    hidden = ("OS_CLIENT_CONFIG_FILE", "OS_CLOUD")
    return {
        **{name: value for name, value in os.environ.items() if name not in hidden},
        "ACCOUNTS": str(sandbox.accounts_yaml),
        "KEYSTONE": auth["auth_url"],
        "REFSTACK": collector.url,
        "WORK": str(work),
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_unchanged(
    place: Path, sandbox: Sandbox, environ: dict[str, str], script: Path
) -> None:
    before = tenants_of(sandbox)

    done = subprocess.run(
        ["bash", script],
        env=environ,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    for line in script.read_text(encoding="utf-8").splitlines():
        if line.startswith(EXPECT):
            assert line.removeprefix(EXPECT) in printed
    assert tenants_of(sandbox) == before
    assert not any(secret in printed for secret in secrets_of(sandbox))
    assert list((place / "tmp").iterdir()) == []


def test_there_are_ten_scripts() -> None:
    assert len(SCRIPTS) >= 10


def rows() -> list[dict[str, str]]:
    """Return the rows of the table, the commands without their markup."""
    with TABLE.open(encoding="utf-8", newline="") as table:
        return [
            {**row, "Command": row["Command"].removeprefix("``").removesuffix("``")}
            for row in csv.DictReader(table)
        ]


def runs_tests(row: dict[str, str]) -> bool:
    return row["Command"].startswith("refstack-client test ") and row["State"] != "replaced"


def parameters() -> list[object]:
    """Return the rows as parameters; what runs tests takes long, and the scripts do it too."""
    return [
        pytest.param(
            row,
            id=row["Command"].removeprefix("refstack-client "),
            marks=[pytest.mark.long] if runs_tests(row) else [],
        )
        for row in rows()
    ]


class Lists(BaseHTTPRequestHandler):
    """Serves one list of tests at every path, as the Foundation's server did."""

    def do_GET(self) -> None:
        content = f"{LISTED}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def lists() -> Iterator[str]:
    """Serve lists; return the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lists)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def checkout(environ: dict[str, str]) -> dict[str, str]:
    """Go to the checkout, with the files that the commands name; return the environment."""
    home = Path(environ["HOME"])
    os.chdir("refstack-client")
    for name in ("short-list.txt", "results.json", "run.subunit"):
        Path(name).write_bytes((Path("..") / name).read_bytes())
    (home / "short-list.txt").write_text(f"{LISTED}\n")
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_rsa").write_bytes(Path("../id_rsa.refstack").read_bytes())
    Path("include.txt").write_text("TokensV3Test.test_create_token # one\n")
    Path("exclude.txt").write_text("validate\n")
    Path("etc/accounts.yaml").write_bytes(Path(environ["ACCOUNTS"]).read_bytes())
    clouds = {name: environ_of(f"../{name}") for name in ("adminrc", "tenantrc")}
    return {
        **environ,
        **clouds["adminrc"],
        "PATH": f"{Path(CLIENT).parent}:{environ['PATH']}",
        "REFSTACK_URL": environ["REFSTACK"],
    }


def environ_of(openrc: str) -> dict[str, str]:
    """Return the variables that an openrc file exports."""
    words = shlex.split(Path(openrc).read_text().replace("export ", ""))
    return dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize("row", parameters())
def test_an_old_command_does_what_the_table_says(
    checkout: dict[str, str], sandbox: Sandbox, lists: str, row: dict[str, str]
) -> None:
    if "tempest.conf" in row["Command"].partition(" config")[0]:
        made = subprocess.run(
            "refstack-client config -s --use-test-accounts etc/accounts.yaml"
            " && cp etc/tempest.conf ~/tempest.conf",
            shell=True,
            env=checkout,
            check=False,
        )
        assert made.returncode == 0
    if "mycloud" in row["Command"]:
        checkout = {
            **{key: value for key, value in checkout.items() if not key.startswith("OS_")},
            "OS_CLIENT_CONFIG_FILE": str(sandbox.clouds_yaml),
        }
    command = (
        row["Command"]
        .replace(f"{FOUNDATION}/v1/", f"{lists}/v1/")
        .replace(FOUNDATION, checkout["REFSTACK"])
        .replace("mycloud", "sandbox")
    )

    done = subprocess.run(
        ["bash", "-c", command],
        env=checkout,
        input="y\n",
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    printed = done.stdout + done.stderr
    assert "Traceback" not in printed
    assert not any(secret in printed for secret in secrets_of(sandbox))
    if row["State"] == "replaced":
        assert done.returncode == 2, printed
        assert "is not available\nhint:  " in done.stderr
        assert len(row["Remarks"].split()) > 1
    else:
        assert row["State"] in ("works", "differs")
        assert done.returncode == 0, printed
        assert row["State"] == "works" or row["Remarks"]
    if "upload" in row["Command"]:
        assert "Test results uploaded!\nURL: http" in done.stdout


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["Command"])
def test_an_old_command_is_valid_or_replaced(row: dict[str, str]) -> None:
    shell = Shell()
    _, words = shell.parser.parse_known_args(shlex.split(row["Command"])[1:])
    factory, name, rest = shell.command_manager.find_command(words)
    args = factory(shell, None).get_parser(name).parse_args(rest)
    if name == "test":
        with pytest.raises(UsageError) if row["State"] == "replaced" else nullcontext():
            tempest_run.parse(args.tests[1:])


@pytest.mark.parametrize("command", ["test", "config", "upload", "upload-subunit", "list", "sign"])
def test_the_table_has_every_option_of_the_original(command: str) -> None:
    options = {
        "test": "-c --conf-file -r --result-file-tag --test-list -u --upload -p --parallel --url "
        "-k --insecure -i -s -v -y",
        "config": "--use-test-accounts --network-id --image --out --os-cloud --overrides --url -k "
        "-i -s -v -y",
        "upload": "--url --insecure -i --sign -s -v -y",
        "upload-subunit": "--keystone-endpoint --url -k -i -s -y",
        "list": "--start-date --end-date --url -k -i -s -y",
        "sign": "-s -y",
    }[command].split()
    shown = " ".join(
        row["Command"].replace("=", " ") for row in rows() if row["Command"].split()[1] == command
    ).split()
    assert set(options) <= set(shown)
    factory, _, _ = Shell().command_manager.find_command([command])
    parser = factory(Shell(), None).get_parser(command)
    known = {option for action in parser._actions for option in action.option_strings}
    assert set(options) - known <= {"-v", "--os-cloud"}
