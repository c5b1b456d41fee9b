"""Signatures for tokens by a key in the SSH agent (draft-ietf-sshm-ssh-agent).

The agent signs the bytes themselves, while ``ssh-keygen -Y sign`` wraps them in a format of its
own, which tokens do not have.
"""

import base64
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from refstack_client.errors import InputError, MachineError
from refstack_client.files import read_bytes

SECONDS_TO_ANSWER = 120
_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_LONGEST_ANSWER = 256 * 1024
_SHA2_256 = 2
"""The flag for RSA signatures with SHA-256 (RFC 8332) instead of SHA-1."""


@dataclass(frozen=True)
class _Type:
    """How keys of a type sign a token.

    ``signature`` is OpenSSH's name of the form of the signature, which ``convert`` makes that of a
    token.
    """

    algorithm: str
    signature: str
    convert: Callable[[bytes], bytes] = bytes
    flags: int = 0


def _of_numbers(size: int) -> Callable[[bytes], bytes]:
    """Return what makes two numbers of ``size`` bytes of two strings (RFC 5656, section 3.1.2)."""

    def convert(signature: bytes) -> bytes:
        first, rest = _split(signature)
        second, _ = _split(rest)
        return b"".join(
            int.from_bytes(number, "big").to_bytes(size, "big") for number in (first, second)
        )

    return convert


_TYPES = {
    "ssh-ed25519": _Type("EdDSA", "ssh-ed25519"),
    "ssh-rsa": _Type("RS256", "rsa-sha2-256", flags=_SHA2_256),
    "ecdsa-sha2-nistp256": _Type("ES256", "ecdsa-sha2-nistp256", _of_numbers(32)),
    "ecdsa-sha2-nistp384": _Type("ES384", "ecdsa-sha2-nistp384", _of_numbers(48)),
    "ecdsa-sha2-nistp521": _Type("ES512", "ecdsa-sha2-nistp521", _of_numbers(66)),
}
"""Types of keys; hardware keys sign other bytes than those of a token."""


@dataclass(frozen=True)
class AgentKey:
    """A key in the agent: its public half in OpenSSH's binary form, and how it signs."""

    path: Path
    public: bytes
    type: _Type

    @property
    def algorithm(self) -> str:
        """The algorithm of the token as RFC 7518 names it."""
        return self.type.algorithm

    def sign(self, content: bytes) -> bytes:
        """Return the signature of ``content`` in the form of a token.

        :raises InputError: the agent does not have the key, or refuses to sign
        :raises MachineError: there is no agent, or it does not answer
        """
        request = _string(self.public) + _string(content) + self.type.flags.to_bytes(4, "big")
        answer = _exchange(bytes([_SIGN_REQUEST]) + request)
        if answer[:1] != bytes([_SIGN_RESPONSE]):
            raise InputError(
                f"the SSH agent does not sign with {self.path}",
                hint="add the private key: ssh-add KEY",
            )
        try:
            signature, _ = _split(answer[1:])
            name, rest = _split(signature)
            value, _ = _split(rest) if name == self.type.signature.encode() else (b"", b"")
            converted = self.type.convert(value) if value else b""
        except (ValueError, OverflowError):
            converted = b""
        if not converted:
            raise MachineError(
                f"unexpected response of the SSH agent: it is not a signature of the type "
                f"{self.type.signature}",
                hint="name the file of the private key instead",
            )
        return converted


def find(path: Path) -> AgentKey:
    """Return the key with a public half in a file.

    :raises InputError: it is not a public key of a type that can sign tokens
    """
    try:
        name, text, *_ = read_bytes(path).decode().split()
        load_ssh_public_key(f"{name} {text}".encode())
        return AgentKey(path, base64.b64decode(text), _TYPES[name])
    except (ValueError, KeyError, UnsupportedAlgorithm) as error:
        raise InputError(
            f"{path} is not a public key that can sign tokens",
            hint=f"choose a key of one of the types {', '.join(_TYPES)}",
        ) from error


def _exchange(message: bytes) -> bytes:
    """Send a message to the agent; return its answer.

    :raises MachineError: there is no agent, or it does not answer
    """
    name = os.environ.get("SSH_AUTH_SOCK", "")
    hint = "start it: eval $(ssh-agent), then ssh-add KEY; or name the file of the private key"
    if not name:
        raise MachineError("there is no SSH agent: SSH_AUTH_SOCK is not set", hint=hint)
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(SECONDS_TO_ANSWER)
            agent.connect(name)
            agent.sendall(_string(message))
            size = int.from_bytes(_receive(agent, 4), "big")
            return _receive(agent, min(size, _LONGEST_ANSWER))
    except OSError as error:
        raise MachineError(f"the SSH agent at {name} cannot be used: {error}", hint=hint) from error


def _receive(agent: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = agent.recv(size - len(received))
        if not part:
            raise ConnectionError("it closed the connection")
        received += part
    return received


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Return the string at the start of ``content``, and the rest.

    :raises ValueError: it is not complete
    """
    end = 4 + int.from_bytes(content[:4], "big")
    if len(content) < end:
        raise ValueError("the string is not complete")
    return content[4:end], content[end:]
