"""Signed-in browsers. A session ends when its user signs out, whatever cookies still exist."""

import hashlib
import secrets
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store.schema import BrowserSession, now

SECONDS = 8 * 3600


def start(session: Session, openid: str) -> str:
    """Start a session of a user; return the secret for the browser. Expired sessions are removed.

    The database has only the SHA-256 of the secret: who reads a copy of it is not signed in.
    """
    session.execute(sa.delete(BrowserSession).where(BrowserSession.expires_at <= now()))
    secret = secrets.token_urlsafe(32)
    expires = now() + timedelta(seconds=SECONDS)
    session.add(BrowserSession(digest=_digest(secret), openid=openid, expires_at=expires))
    return secret


def openid_of(session: Session, secret: str) -> str | None:
    """Return the user of a session, None if it ended or expired."""
    found = session.get(BrowserSession, _digest(secret))
    return found.openid if found and now() < found.expires_at else None


def end(session: Session, secret: str) -> None:
    """End a session."""
    query = sa.delete(BrowserSession).where(BrowserSession.digest == _digest(secret))
    session.execute(query)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
