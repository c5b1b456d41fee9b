"""The public part of a verdict: what a stream names is hidden in every field."""

import dataclasses
import json

from support.making import NAMES, STORAGE

from capabilities import tempest_id
from refstack_client.report import document, table
from refstack_server.publish import public_view
from scoring.conformance.outcomes import (
    Attempt,
    Call,
    Cause,
    CauseKind,
    OtherFailure,
    Outcome,
    Outcomes,
)
from scoring.conformance.verdict import judge

HOST = "canary7.corp.example"
CALL = Call("GET", f"/v1/AUTH_{HOST}/{HOST}/o", 503, f"tx{HOST}")


def test_every_field_of_a_verdict_is_public():
    cause = Cause(CauseKind.WRONG_RESPONSE, CALL)
    test = tempest_id.parse(NAMES[0])
    attempt = Attempt(test, Outcome.FAIL, f"no route to {HOST}", 1, cause=cause)
    other = OtherFailure(f"tearDownClass (x.{HOST})", f"{HOST} refused the connection")
    whole = judge(STORAGE, Outcomes((attempt,), damage=f"cut at {HOST}", other_failures=(other,)))
    public = public_view.verdict(dataclasses.replace(whole, bases=(whole,)))
    assert HOST in str(document.as_json(whole))
    for shown in (repr(public), json.dumps(document.as_json(public)), table.csv_text(public)):
        assert HOST not in shown
        assert "canary" not in shown
    failed = next(test for test in public.required if test.outcome is Outcome.FAIL)
    assert failed.reason == "no route to …"
    assert failed.cause == Cause(CauseKind.WRONG_RESPONSE, Call("GET", "/v1/…/…/…", 503))
    assert public.damage == "cut at …"
    assert public.other_failures == (OtherFailure("tearDownClass (…)", "… refused the connection"),)
    assert public.conformance is whole.conformance


def test_a_cause_without_a_call_is_public():
    cause = Cause(CauseKind.TIMEOUT)
    assert public_view._cause(cause) is cause
    assert public_view._cause(None) is None
