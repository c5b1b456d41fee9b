"""Build the payload of a container from what the user asked for on the host."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from capabilities import catalogue, programme
from refstack_client.cloud import clouds_yaml
from refstack_client.cloud.selection import CloudSelection
from refstack_client.container.payload import PRIVATE, RESULTS, Payload
from refstack_client.files import read_bytes
from refstack_client.outcomes import run_attempts, run_directory
from refstack_client.outcomes.challenge import SignedChallenge
from refstack_client.planning import guideline_source

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_CLOUDS = "clouds.yaml"
_ACCOUNTS = "accounts.yaml"
_CHALLENGE = "challenge.txt"


@dataclass(frozen=True)
class Certification:
    """Hold the options of a certification on the host; None and empty ones are not given.

    :param guideline: ID, path or URL
    :param resume: the run to resume, whose cloud and accounts are the defaults
    """

    guideline: str | None = None
    programme: str | None = None
    concurrency: int | None = None
    cloud: CloudSelection = field(default_factory=CloudSelection)
    accounts: Path | None = None
    settings: tuple[str, ...] = ()
    challenge: SignedChallenge | None = None
    resume: Path | None = None
    rerun_failed: bool = False
    retry_budget: int = run_attempts.RETRY_BUDGET


def payload_of(asked: Certification) -> Payload:
    """Return the payload of every container: the arguments of ``certify`` and the files they name.

    :raises InputError: a file or a run cannot be read
    :raises CloudError: clouds.yaml does not have the cloud
    """
    resumed = run_directory.Run(asked.resume.resolve()) if asked.resume else None
    recorded = run_directory.read_request(resumed)[1] if resumed else {}
    selection = asked.cloud.or_else(CloudSelection.recorded(recorded))
    config = clouds_yaml.portable(selection, str(PRIVATE))
    files = {file_name: read_bytes(path) for file_name, path in config.files.items()}
    files[_CLOUDS] = yaml.safe_dump(config.clouds_yaml, allow_unicode=True).encode()
    guideline = asked.guideline
    if guideline and guideline not in catalogue.shipped():
        file_name = Path(urlsplit(guideline).path).name
        files[file_name] = guideline_source.content(guideline)
        files |= _bases(guideline)
        guideline = f"{PRIVATE}/{file_name}"
    arguments = ["certify", "--os-cloud", config.name, *certify_options(asked, guideline)]
    accounts = asked.accounts or recorded.get("accounts")
    if accounts:
        files[_ACCOUNTS] = read_bytes(Path(accounts))
        arguments += ["--accounts", f"{PRIVATE}/{_ACCOUNTS}"]
    if asked.challenge:
        files[_CHALLENGE] = asked.challenge.file
        arguments += ["--challenge", f"{PRIVATE}/{_CHALLENGE}"]
    for setting in asked.settings:
        arguments += ["--set", setting]
    if resumed:
        budget = str(asked.retry_budget)
        arguments += ["--resume", f"{RESULTS}/{resumed.id}", "--retry-budget", budget]
        arguments += ["--rerun-failed"] if asked.rerun_failed else []
    return Payload(arguments, _environ(), files, resumed)


def _bases(name: str) -> dict[str, bytes]:
    """Return the files of guidelines that the add-ons of a guideline require, by name."""
    found = programme.programmes(guideline_source.load(name)[0])
    paths = {path for add_on in found for path in catalogue.base_files(add_on)}
    return {path.name: read_bytes(path) for path in paths}


def certify_options(asked: Certification, guideline: str | None) -> list[str]:
    """Return the options of ``certify`` that are the same on every machine."""
    options: Mapping[str, str | int | None] = {
        "--guideline": guideline,
        "--programme": asked.programme,
        "--concurrency": asked.concurrency,
    }
    return [text for option, value in options.items() if value for text in (option, str(value))]


def network_of(payload: Payload) -> str:
    """Return the network that reaches the cloud: the host's for loopback, else the default ("")."""
    (config,) = yaml.safe_load(payload.files[_CLOUDS])["clouds"].values()
    host = urlsplit(config.get("auth", {}).get("auth_url", "")).hostname or ""
    return "host" if host in ("localhost", "::1") or host.startswith("127.") else ""


def _environ() -> dict[str, str]:
    proxies = {
        name: os.environ[name]
        for proxy in _PROXIES
        for name in (proxy, proxy.upper())
        if name in os.environ
    }
    return {**proxies, "OS_CLIENT_CONFIG_FILE": f"{PRIVATE}/{_CLOUDS}"}
