"""Signatures by OpenSSH's own ``ssh-keygen -Y``: the keys people have, and no cryptography of ours.

Any key works that ssh-keygen can sign with: a private key file, encrypted or not, or the public
half of one that an agent or a hardware token holds.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from refstack_client.errors import InputError, MachineError

SECONDS_TO_ANSWER = 120


@dataclass(frozen=True)
class Signer:
    """Who signed: the identity as the list of signers names it ("" for nobody in it), the key."""

    identity: str
    key: str


class SignatureError(InputError):
    """A signature does not hold, or is by nobody who is trusted."""


def sign(content: bytes, key: Path, namespace: str) -> bytes:
    """Return the armoured signature of ``content``; ssh-keygen asks for a passphrase itself.

    :raises InputError: the key cannot sign
    :raises MachineError: there is no ssh-keygen
    """
    if not key.exists():
        raise InputError(f"{key}: there is no such key", hint="ssh-keygen -t ed25519 makes one")
    done = _ssh_keygen(("sign", "-n", namespace, "-f", str(key)), content)
    if done.returncode or not done.stdout:
        raise InputError(
            f"{key} could not sign: {_last_line(done.stderr)}",
            hint="give a private key that OpenSSH reads (an encrypted one needs a terminal to ask "
            "on), or the .pub file of one in your agent",
        )
    return done.stdout


def verify(content: bytes, signature: bytes, signers: Path, namespace: str) -> Signer:
    """Return who signed ``content``, as a file of allowed signers (ssh-keygen(1)) names them.

    :raises SignatureError: the signature does not hold or its key is not in the file
    """
    if not signers.is_file():
        raise InputError(f"{signers}: there is no such file of allowed signers")
    with tempfile.TemporaryDirectory(prefix="refstack-signature-") as place:
        armoured = Path(place) / "signature"
        armoured.write_bytes(signature)
        known = _ssh_keygen(("find-principals", "-f", str(signers), "-s", str(armoured)), b"")
        names = known.stdout.decode(errors="replace").split("\n")
        if known.returncode or not names[0]:
            raise SignatureError(f"its key is not among those of {signers}")
        identity = names[0].split(",")[0].strip()
        options = ("verify", "-f", str(signers), "-I", identity, "-n", namespace)
        done = _ssh_keygen((*options, "-s", str(armoured)), content)
    if done.returncode:
        raise SignatureError(f"the signature does not hold: {_last_line(done.stderr)}")
    return Signer(identity, _key(done.stdout))


def check(content: bytes, signature: bytes, namespace: str) -> Signer:
    """Return the key that signed ``content``, whoever it belongs to.

    :raises SignatureError: the signature does not hold
    """
    with tempfile.TemporaryDirectory(prefix="refstack-signature-") as place:
        armoured = Path(place) / "signature"
        armoured.write_bytes(signature)
        options = ("check-novalidate", "-n", namespace, "-s", str(armoured))
        done = _ssh_keygen(options, content)
    if done.returncode:
        raise SignatureError(f"the signature does not hold: {_last_line(done.stderr)}")
    return Signer("", _key(done.stdout))


def _ssh_keygen(arguments: Sequence[str], content: bytes) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", *arguments],
            input=content,
            capture_output=True,
            # Without a terminal nobody can be asked, and no window is to pop up either.
            env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=not sys.stdin.isatty(),
            timeout=SECONDS_TO_ANSWER,
            check=False,
        )
    except FileNotFoundError as error:
        raise MachineError(
            "ssh-keygen is not installed", hint="install OpenSSH's client (openssh-client)"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise MachineError(
            f"ssh-keygen did not answer in {SECONDS_TO_ANSWER} s",
            hint="is an agent or a hardware key waiting to be touched?",
        ) from error


def _key(output: bytes) -> str:
    """Return ``ED25519 SHA256:…`` of ssh-keygen's sentence."""
    _, _, rest = output.decode(errors="replace").strip().partition(" with ")
    return rest.replace(" key", "")


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "ssh-keygen said nothing"
