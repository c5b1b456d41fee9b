"""The collector that commands use, and the user and key for it, remembered in a file.

The file has the path of the key, never the key itself.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from refstack_client.errors import InputError, MachineError, UsageError
from refstack_client.files import write_private_json

LOG_IN = "log in: refstack-client server login URL --key KEY --user OPENID"


@dataclass(frozen=True)
class Login:
    """A user of a collector.

    :param url: of the server, without a slash at its end
    :param user: as the server names the user, an OpenID
    :param key: path of the private key, or of the public half of one in the SSH agent
    :param cacert: path of the CA certificates to trust, None for those of the system
    """

    url: str
    user: str
    key: Path
    cacert: Path | None = None


def path() -> Path:
    """Return the path of the file, in the user's configuration directory."""
    return platformdirs.user_config_path("refstack-client") / "login.json"


def save(login: Login) -> Path:
    """Remember a login instead of an earlier one; return the path of the file.

    :raises MachineError: the file cannot be written
    """
    target = path()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private_json(
            target,
            {
                "url": login.url,
                "user": login.user,
                "key": str(login.key),
                "cacert": str(login.cacert) if login.cacert else None,
            },
        )
    except OSError as error:
        raise _unusable("written", error) from error
    return target


def find() -> Login | None:
    """Return the login, None without one.

    :raises InputError: the file has another form
    :raises MachineError: the file cannot be read
    """
    try:
        text = path().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable("read", error) from error
    try:
        return _parse(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path()} is not a login of this program", hint=LOG_IN) from error


def read() -> Login:
    """Return the login; errors as for :func:`find`.

    :raises UsageError: no login is remembered
    """
    found = find()
    if found is None:
        raise UsageError("not logged in to a server", hint=LOG_IN)
    return found


def remove() -> bool:
    """Remove the login; return whether there was one.

    :raises MachineError: the file cannot be removed
    """
    try:
        path().unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unusable("removed", error) from error
    return True


def _parse(document: dict[str, str | None]) -> Login:
    url, user, key = (document[name] for name in ("url", "user", "key"))
    if not (isinstance(url, str) and isinstance(user, str) and isinstance(key, str)):
        raise TypeError("a field is not a text")
    cacert = document.get("cacert")
    return Login(url, user, Path(key), Path(cacert) if cacert else None)


def _unusable(verb: str, error: OSError | UnicodeDecodeError) -> MachineError:
    why = getattr(error, "strerror", None) or error
    return MachineError(
        f"the login cannot be {verb}: {path()}: {why}",
        hint="check its owner and permissions, or set XDG_CONFIG_HOME to a directory that can be "
        "written",
    )
