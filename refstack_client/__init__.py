"""Run the tests of a guideline against a cloud, judge them, and bundle and upload the results.

The packages of ``refstack_client`` follow the steps of a certification:

=============  ========================================================================
``planning``   guideline to plan: which tests, how long, what they require
``cloud``      the connection to a cloud, and the facts known of it
``tempest``    tempest.conf, discovery, inventory, workspace, stestr
``tenants``    the projects and users that tests run as: create, hand out, remove
``running``    plan to run: certify, resume, merge, preflight checks, progress
``outcomes``   run to outcomes: run directory, subunit streams, causes, redaction
``report``     verdict to people: text, HTML, JSON, JUnit, CSV, spreadsheet
``bundle``     verdict to bundle: pack, sign, verify, open
``upload``     bundle to collector, and the API of a collector
``container``  the same, in a container
``sandbox``    a cloud to try it on
``cli``        the commands
=============  ========================================================================

The names in ``__all__`` are the public API. Each is imported when it is first used, so that judging
results loads no code for clouds::

    from pathlib import Path

    import refstack_client

    results = refstack_client.open_results(Path("runs/20260131T120000Z-1a2b3c"))
    verdict = results.judge(results.programme(None))
    print(refstack_client.headline(verdict))
"""

import importlib

TYPE_CHECKING = False  # of the module typing, whose import takes too long to come first
if TYPE_CHECKING:
    from refstack_client.bundle.checks import Check
    from refstack_client.bundle.contents import Bundle
    from refstack_client.bundle.manifest import Manifest
    from refstack_client.bundle.open_results import Results
    from refstack_client.bundle.open_results import read as open_results
    from refstack_client.bundle.pack import make as make_bundle
    from refstack_client.bundle.pack import of_run as run_source
    from refstack_client.bundle.pack import of_stream as stream_source
    from refstack_client.bundle.pack import signed as sign_bundle
    from refstack_client.bundle.verify import Verification
    from refstack_client.bundle.verify import verify as verify_bundle
    from refstack_client.errors import (
        ClientError,
        CloudError,
        InputError,
        MachineError,
        UsageError,
    )
    from refstack_client.outcomes.attestation import Attestation
    from refstack_client.outcomes.attestation import read as read_attestation
    from refstack_client.outcomes.plan_record import PlanRecord
    from refstack_client.outcomes.run_directory import Run
    from refstack_client.outcomes.subunit_stream import parse as parse_stream
    from refstack_client.outcomes.subunit_stream import read as read_stream
    from refstack_client.planning.plan import Plan
    from refstack_client.planning.request import CertificationRequest
    from refstack_client.report.comparison import compare
    from refstack_client.report.document import as_json as verdict_document
    from refstack_client.report.groups import groups
    from refstack_client.report.html import page as html_report
    from refstack_client.report.junit import of_verdict as junit_report
    from refstack_client.report.text import headline
    from refstack_client.report.text import lines as text_report
    from refstack_client.running.certify import certify
    from refstack_client.running.certify import preview as plan
    from refstack_client.upload.http import Server
    from refstack_client.upload.refstack_api import upload_bundle
    from scoring.conformance.verdict import Verdict, judge

__all__ = [
    "Attestation",
    "Bundle",
    "CertificationRequest",
    "Check",
    "ClientError",
    "CloudError",
    "InputError",
    "MachineError",
    "Manifest",
    "Plan",
    "PlanRecord",
    "Results",
    "Run",
    "Server",
    "UsageError",
    "Verdict",
    "Verification",
    "certify",
    "compare",
    "groups",
    "headline",
    "html_report",
    "judge",
    "junit_report",
    "make_bundle",
    "open_results",
    "parse_stream",
    "plan",
    "read_attestation",
    "read_stream",
    "run_source",
    "sign_bundle",
    "stream_source",
    "text_report",
    "upload_bundle",
    "verdict_document",
    "verify_bundle",
]

_HOMES = {
    "Attestation": ("refstack_client.outcomes.attestation", "Attestation"),
    "Bundle": ("refstack_client.bundle.contents", "Bundle"),
    "CertificationRequest": ("refstack_client.planning.request", "CertificationRequest"),
    "Check": ("refstack_client.bundle.checks", "Check"),
    "ClientError": ("refstack_client.errors", "ClientError"),
    "CloudError": ("refstack_client.errors", "CloudError"),
    "InputError": ("refstack_client.errors", "InputError"),
    "MachineError": ("refstack_client.errors", "MachineError"),
    "Manifest": ("refstack_client.bundle.manifest", "Manifest"),
    "Plan": ("refstack_client.planning.plan", "Plan"),
    "PlanRecord": ("refstack_client.outcomes.plan_record", "PlanRecord"),
    "Results": ("refstack_client.bundle.open_results", "Results"),
    "Run": ("refstack_client.outcomes.run_directory", "Run"),
    "Server": ("refstack_client.upload.http", "Server"),
    "UsageError": ("refstack_client.errors", "UsageError"),
    "Verdict": ("scoring.conformance.verdict", "Verdict"),
    "Verification": ("refstack_client.bundle.verify", "Verification"),
    "certify": ("refstack_client.running.certify", "certify"),
    "compare": ("refstack_client.report.comparison", "compare"),
    "groups": ("refstack_client.report.groups", "groups"),
    "headline": ("refstack_client.report.text", "headline"),
    "html_report": ("refstack_client.report.html", "page"),
    "judge": ("scoring.conformance.verdict", "judge"),
    "junit_report": ("refstack_client.report.junit", "of_verdict"),
    "make_bundle": ("refstack_client.bundle.pack", "make"),
    "open_results": ("refstack_client.bundle.open_results", "read"),
    "parse_stream": ("refstack_client.outcomes.subunit_stream", "parse"),
    "plan": ("refstack_client.running.certify", "preview"),
    "read_attestation": ("refstack_client.outcomes.attestation", "read"),
    "read_stream": ("refstack_client.outcomes.subunit_stream", "read"),
    "run_source": ("refstack_client.bundle.pack", "of_run"),
    "sign_bundle": ("refstack_client.bundle.pack", "signed"),
    "stream_source": ("refstack_client.bundle.pack", "of_stream"),
    "text_report": ("refstack_client.report.text", "lines"),
    "upload_bundle": ("refstack_client.upload.refstack_api", "upload_bundle"),
    "verdict_document": ("refstack_client.report.document", "as_json"),
    "verify_bundle": ("refstack_client.bundle.verify", "verify"),
}
"""Module and name of each public name, for :func:`__getattr__` (PEP 562)."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted({*globals(), *__all__})
