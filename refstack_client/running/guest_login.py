"""Log in to a guest before a certification, by one of the tests that do."""

import configparser
import dataclasses
import re
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console

from capabilities.guideline import Status, Test
from capabilities.programme import Programme
from refstack_client.outcomes import stream_tools
from refstack_client.planning import test_requirements
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.test_requirements import GUESTS
from refstack_client.planning.workers import Workers
from refstack_client.running import certify, cleanup
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import TestVerdict

_LOGGED_IN = re.compile(r"ssh connection to (\S+) successfully created")
_REACH = (
    "a guest must be reachable from here: check the route to its IP address and its security "
    "group, or use --set validation.connect_method=fixed (or floating), or a longer "
    "validation.ssh_timeout"
)
_REMEDIES = {
    "Authentication failed": "--set validation.image_ssh_user=NAME for the user of the image; the "
    "guest gets its SSH key from the metadata service",
    "cannot log in": _REACH,
    "timed out": _REACH,
}
"""What to do, by a part of the reason."""


@dataclass(frozen=True)
class Login:
    """The result of one test that logs in to a guest.

    :param found: what happened, for people
    :param remedy: what to do about it; "" if the test passed and nothing remains in the cloud
    """

    passed: bool
    found: str
    remedy: str


def test_of(request: CertificationRequest) -> Test | None:
    """Return the test that shows whether guests can be reached; None if no wanted test does."""
    return next(iter(test_requirements.requiring(GUESTS, request.programme.wanted_tests())), None)


def log_in(request: CertificationRequest, test: Test, console: Console) -> Login:
    """Run one test as a certification runs it, and remove what it creates.

    The directory of the run is kept if the test does not pass or something remains in the cloud.

    :param console: shows the progress
    :raises CloudError: the cloud or the credentials cannot be used
    """
    only = dataclasses.replace(
        request, programme=_only(request.programme, test), workers=Workers(1), shard=None
    )
    result = certify.certify(only, console, lambda _plan, _asked: None)
    run = result.run
    (verdict,) = result.verdict.required
    passed = verdict.outcome is Outcome.PASS
    left = cleanup.advice(run, result.leaked, request.clean_options)
    how = _how(run.tempest_conf.read_text(encoding="utf-8"))
    if not passed:
        remedy = "; ".join((_remedy(verdict, str(run.directory)), *left))
        return Login(False, f"{verdict.reason} ({how})", remedy)
    with run.stream.open("rb") as stream:
        log = stream_tools.attachments(stream, test.names)["pythonlogging"]
    user = _LOGGED_IN.search(log)
    if not left:
        shutil.rmtree(run.directory)
        with suppress(OSError):  # other runs are in it
            request.output.rmdir()
    shown = user[1] if user else "a user"
    return Login(True, f"logged in as {shown} ({how})", "; ".join(left))


def _how(tempest_conf: str) -> str:
    """Return how a guest is reached."""
    conf = configparser.RawConfigParser(strict=False)
    conf.read_string(tempest_conf)
    validation, compute = conf["validation"], conf["compute"]
    return (
        f"{validation['connect_method']} IP address, IPv{validation['ip_version_for_ssh']}, user "
        f"{validation['image_ssh_user']}, timeout {validation['ssh_timeout']} s, image "
        f"{compute['image_ref']}, flavor {compute['flavor_ref']}"
    )


def _only(programme: Programme, test: Test) -> Programme:
    """Return a programme that requires one test, in the first capability that lists it."""
    capability = next(
        capability
        for each in programme.with_bases()
        for capability in each.capabilities(Status.REQUIRED)
        if any(listed.key == test.key for listed in capability.tests)
    )
    only = dataclasses.replace(capability, tests=(test,))
    guideline = dataclasses.replace(programme.guideline, capabilities={only.id: only})
    return dataclasses.replace(
        programme, guideline=guideline, statuses={only.id: Status.REQUIRED}, bases=()
    )


def _remedy(verdict: TestVerdict, run: str) -> str:
    known = [text for sign, text in _REMEDIES.items() if sign in verdict.reason]
    explain = f"its log: refstack-client explain {verdict.test.name} {shlex.quote(run)}"
    return "; ".join((*known[:1], explain))
