"""SSH signatures by OpenSSH's ``ssh-keygen -Y``, so that no key is handled here.

Any key that ssh-keygen can sign with works: a private key file, encrypted or not, or the public
half of a key that is in an agent or on a hardware token.
"""

import base64
import os
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from refstack_client.errors import InputError, MachineError

SECONDS_TO_ANSWER = 120
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"
_COLUMNS = 70

_HINTS = {
    "are too open": "keep it from other users: chmod 600 {key}",
    "passphrase": "it is encrypted: run the command in a terminal, or add the key to your agent "
    "(ssh-add {key}) and give its .pub file",
    "No private key found for public key": "the agent does not have it: add the private key with "
    "ssh-add",
    **dict.fromkeys(
        ("No private key found", "Couldn't load public key"),
        "{key} is not a private key that OpenSSH reads: check it with ssh-keygen -y -f {key}",
    ),
}
"""What to do, by a part of ssh-keygen's messages."""


@dataclass(frozen=True)
class Signer:
    """The identity in the file of allowed signers, "" if none was given, and the key."""

    identity: str
    key: str

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the key, ``SHA256:…``."""
        return self.key.rpartition(" ")[2]


class SignatureError(InputError):
    """A signature is not valid, or its key is not trusted."""


def sign(content: bytes, key: Path, namespace: str) -> bytes:
    """Return the armoured signature of ``content``. ssh-keygen asks for a passphrase itself.

    :raises InputError: the key cannot sign
    :raises MachineError: ssh-keygen is not installed, or does not end
    """
    if not key.exists():
        raise InputError(f"{key}: there is no such key", hint="create one: ssh-keygen -t ed25519")
    done = _ssh_keygen(("sign", "-n", namespace, "-f", str(key)), content)
    if done.returncode or not done.stdout:
        raise _cannot_sign(key, done.stderr)
    return done.stdout


def _cannot_sign(key: Path, output: bytes) -> InputError:
    """Return the error with the line of ssh-keygen's output that gives the reason, and a hint."""
    lines = output.decode(errors="replace").splitlines()
    for words, hint in _HINTS.items():
        for line in lines:
            if words in line:
                reason = line.strip().removeprefix("Enter passphrase: ")
                return InputError(
                    f"cannot sign with {key}: {reason}",
                    hint=hint.format(key=shlex.quote(str(key))),
                )
    return InputError(
        f"cannot sign with {key}: {_last_line(output)}",
        hint="give a private key that OpenSSH reads, or the .pub file of one in your agent",
    )


def verify(content: bytes, signature: bytes, signers: Path, namespace: str) -> Signer:
    """Return who signed ``content``, by a file of allowed signers (ssh-keygen(1)).

    :raises SignatureError: the signature is not valid, or its key is not in the file
    :raises InputError: there is no such file
    """
    if not signers.is_file():
        raise InputError(f"{signers}: there is no such file of allowed signers")
    with _written(signature) as armoured:
        found = _ssh_keygen(("find-principals", "-f", str(signers), "-s", armoured), b"")
        names = found.stdout.decode(errors="replace").split("\n")
        if found.returncode or not names[0]:
            raise SignatureError(f"the key of the signature is not in {signers}")
        identity = names[0].split(",")[0].strip()
        options = ("verify", "-f", str(signers), "-I", identity, "-n", namespace)
        return Signer(identity, _verified(options, armoured, content))


def check(content: bytes, signature: bytes, namespace: str) -> Signer:
    """Return the key that signed ``content``, without looking for its owner.

    :raises SignatureError: the signature is not valid
    """
    with _written(signature) as armoured:
        return Signer("", _verified(("check-novalidate", "-n", namespace), armoured, content))


def check_form(signature: bytes) -> None:
    """Check that a signature is as ssh-keygen writes it, with nothing before, in or behind it.

    ssh-keygen itself ignores what is added, and nothing else covers the bytes of a signature.

    :raises SignatureError: it is not
    """
    try:
        text = signature.decode("ascii")
        blob = base64.b64decode(text.removeprefix(_BEGIN).removesuffix(_END))
    except ValueError as error:
        raise SignatureError(f"the signature is not in the format of OpenSSH: {error}") from error
    lines = textwrap.wrap(base64.b64encode(blob).decode(), _COLUMNS)
    if text != "\n".join((_BEGIN.strip(), *lines, _END)):
        raise SignatureError("the signature is not as ssh-keygen writes it: something was added")


@contextmanager
def _written(signature: bytes) -> Iterator[str]:
    """Provide the path of a temporary file with a signature."""
    with tempfile.TemporaryDirectory(prefix="refstack-signature-") as directory:
        path = Path(directory) / "signature"
        path.write_bytes(signature)
        yield str(path)


def _verified(options: Sequence[str], armoured: str, content: bytes) -> str:
    """Return the key of a valid signature."""
    done = _ssh_keygen((*options, "-s", armoured), content)
    if done.returncode:
        raise SignatureError(f"the signature is not valid: {_last_line(done.stderr)}")
    return _key(done.stdout)


def _ssh_keygen(arguments: Sequence[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", *arguments],
            input=content,
            capture_output=True,
            # No window may ask for a passphrase, and without a terminal nothing may wait for one.
            env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            start_new_session=not sys.stdin.isatty(),
            timeout=SECONDS_TO_ANSWER,
            check=False,
        )
    except FileNotFoundError as error:
        raise MachineError(
            "ssh-keygen is not installed", hint="install the OpenSSH client (openssh-client)"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise MachineError(
            f"ssh-keygen did not end within {SECONDS_TO_ANSWER} s",
            hint="check whether an agent or a hardware key waits for you",
        ) from error


def _key(output: bytes) -> str:
    """Return ``ED25519 SHA256:…`` of the sentence that ssh-keygen prints."""
    _, _, rest = output.decode(errors="replace").strip().partition(" with ")
    return rest.replace(" key", "")


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "ssh-keygen printed nothing"
