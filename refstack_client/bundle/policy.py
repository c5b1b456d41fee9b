"""What a certifier requires of a bundle beside the verdict, from a file."""

import difflib
import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from refstack_client.bundle import contents
from refstack_client.bundle.checks import Check, CheckFailedError, Checks, Question, State
from refstack_client.bundle.contents import Bundle
from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonValue

_CLOCKS_DIFFER = timedelta(days=1)
_KEY_HINT = "see docs/how-to/bundle.rst for the keys of a policy"


@dataclass(frozen=True)
class Policy:
    """What a certifier requires.

    :param max_retries: how often a failed test may be run again; None for the usual number
    :param max_age_days: days since the end of the run; None for any
    :param roles: the only roles that tests may have; None for all but admin
    :param known_answers: the questions to which *unknown* counts as a failure
    :param signed_attestation: whether an attestation with a signature of its own is required
    :param challenge: whether the run must answer the challenge of a certifier
    """

    max_retries: int | None = None
    max_age_days: int | None = None
    roles: tuple[str, ...] | None = None
    known_answers: tuple[Question, ...] = ()
    signed_attestation: bool = False
    challenge: bool = False


def parse(content: bytes, source: str) -> Policy:
    """Read a policy from YAML.

    :param source: name of the file, for messages
    :raises InputError: it is not valid YAML, or has an unknown key or another value
    """
    # Only here: most bundles are verified without a policy, and would wait for the import of YAML.
    from refstack_client import yaml_text  # noqa: PLC0415

    try:
        document = JsonValue(yaml_text.load(content) or {}, source)
    except yaml_text.InvalidYamlError as error:
        raise InputError(f"{source} is not valid YAML: {error}", hint=_KEY_HINT) from error
    known = [field.name for field in fields(Policy)]
    for key in document.object():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
            raise InputError(f"{source}: /{key}: unknown key", hint=hint)
    return Policy(
        max_retries=document.optional("max_retries", JsonValue.natural, None),
        max_age_days=document.optional("max_age_days", JsonValue.natural, None),
        roles=document.optional("roles", JsonValue.texts, None),
        known_answers=document.optional("known_answers", _questions, ()),
        signed_attestation=document.optional("signed_attestation", JsonValue.boolean, False),
        challenge=document.optional("challenge", JsonValue.boolean, False),
    )


def _questions(value: JsonValue) -> tuple[Question, ...]:
    return tuple(item.choice(Question) for item in value.items())


def checks(policy: Policy) -> Checks:
    """Return the checks that a policy adds to those of each bundle."""
    found: dict[str, Callable[[Bundle], str]] = {}
    if policy.max_age_days is not None:
        found["age"] = functools.partial(_age, most=policy.max_age_days)
    if policy.roles is not None:
        found["allowed-roles"] = functools.partial(_roles, allowed=policy.roles)
    if policy.signed_attestation:
        found["signed-attestation"] = _attestation
    return found


def strict(check: Check, policy: Policy) -> Check:
    """Return a check as a failure if its result is unknown and the policy requires it."""
    if check.state is not State.UNKNOWN or check.question not in policy.known_answers:
        return check
    found = f"unknown, but the policy requires an answer: {check.found}"
    return Check(check.question, check.name, State.FAIL, found)


def _age(bundle: Bundle, most: int) -> str:
    ended = bundle.outcomes.ended
    if not ended:
        raise CheckFailedError("the stream has no times")
    age = datetime.now(UTC) - ended
    if age < -_CLOCKS_DIFFER:
        raise CheckFailedError(f"the last test ended at {ended}, in the future")
    days = max(age.days, 0)
    if days > most:
        raise CheckFailedError(f"the last test ended {days} days ago, at most {most} are allowed")
    return f"the last test ended {days} days ago, at most {most} are allowed"


def _roles(bundle: Bundle, allowed: tuple[str, ...]) -> str:
    roles = bundle.manifest.roles
    if not roles:
        raise CheckFailedError("the bundle records no token of a test")
    if others := sorted(set(roles) - set(allowed)):
        raise CheckFailedError(
            f"tests had the roles {', '.join(others)}; allowed are {', '.join(allowed)}"
        )
    return f"tests had the roles {', '.join(roles)}"


def _attestation(bundle: Bundle) -> str:
    if not bundle.has(contents.ATTESTATION_SIGNATURE):
        raise CheckFailedError("the bundle has no attestation with a signature of its own")
    return "the attestation has a signature of its own"
