"""The operator's commands of a server, for tests."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from itsdangerous import TimestampSigner
from sqlalchemy.orm import Session

from refstack_server.settings import DATABASE
from refstack_server.store import database, sessions
from support.certifying import CLIENT
from support.making import NAMES
from support.serving import Person, Server
from support.streams import StreamWriter

BY = {"guideline": "2020.06", "programme": "storage"}


def client(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [CLIENT, "server", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def listed(*arguments: object, code: int = 0) -> list[dict[str, object]]:
    """Return what a command lists as JSON."""
    done = client(*arguments, "-f", "json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def where(data: Path, url: str = "") -> Sequence[object]:
    return ("--data", data, *(("--database", url) if url else ()))


def upload_stream(server: Server, who: Person, reason: str) -> dict[str, str]:
    """Upload a stream; its reason makes it unlike the others."""
    writer = StreamWriter().test(NAMES[0], "success").test(NAMES[1], "fail", traceback=reason)
    answer = server.call("POST", "/v2/streams", who, params=BY, data=writer.content)
    assert answer.status_code == 201, answer.text
    return answer.json()


def session_of(openid: str, data: Path, url: str = "") -> dict[str, str]:
    """Return the cookie of a user who has signed in with a browser."""
    engine = database.connect(url or f"sqlite:///{data / DATABASE}")
    with Session(engine) as session:
        secret = sessions.start(session, openid)
        session.commit()
    engine.dispose()
    content = base64.b64encode(json.dumps({"session": secret}).encode())
    signed = TimestampSigner((data / "secret").read_text()).sign(content).decode()
    return {"Cookie": f"refstack={signed}", "Accept": "text/html"}
