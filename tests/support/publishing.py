"""Results of public products, which the Foundation verifies."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from refstack_server.settings import DATABASE
from refstack_server.store import database as stored
from support.serving import Person, Server, official_vendor_of, product_of


@contextmanager
def changing(server: Server, url: str) -> Iterator[sa.Connection]:
    """Yield a connection to the database of a server, "" for SQLite in its data directory."""
    engine = stored.connect(url or f"sqlite:///{server.data / DATABASE}")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@dataclass(frozen=True)
class Publisher:
    """A vendor's user at a server, and the Foundation."""

    server: Server
    owner: Person
    foundation: Person

    def must(self, who: Person, method: str, path: str, **more) -> Mapping[str, Any]:
        answer = self.server.call(method, path, who, **more)
        assert answer.ok, answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else {}

    def vendor(self, name: str) -> str:
        return official_vendor_of(self.server, self.owner, self.foundation, name)

    def product(self, vendor_id: str, name: str, *, is_public: bool = True) -> str:
        made = product_of(self.server, self.owner, vendor_id, name=name)
        if is_public:
            self.must(self.owner, "PUT", f"/v1/products/{made}", json={"public": True})
        return made

    def version(self, product_id: str, name: str) -> str:
        path = f"/v1/products/{product_id}/versions"
        return self.must(self.owner, "POST", path, json={"version": name})["id"]

    def result(
        self, version_id: str, target: str, guideline: str = "2020.06", *, is_shared: bool = True
    ) -> str:
        made = self.server.upload(["t"], self.owner)
        document = {"product_version_id": version_id}
        self.must(self.owner, "PUT", f"/v1/results/{made}", json=document)
        meta = {"guideline": guideline, "target": target} | ({"shared": "1"} if is_shared else {})
        for key, value in meta.items():
            self.must(self.owner, "POST", f"/v1/results/{made}/meta/{key}", data=value)
        return made

    def verify(self, result_id: str, **document: str) -> None:
        path = f"/v2/results/{result_id}/verification"
        self.must(self.foundation, "PUT", path, json={"why": "agreed", **document})

    def revoke(self, result_id: str, why: str) -> None:
        path = f"/v2/results/{result_id}/revocation"
        self.must(self.foundation, "POST", path, json={"why": why})

    def propose(self, vendor_id: str, content: str | bytes, who: Person | None = None) -> str:
        """Propose a site (its URL) or a logo of a vendor; return the SHA-256."""
        kind = "site" if isinstance(content, str) else "logo"
        body = {"json": {"url": content}} if isinstance(content, str) else {"data": content}
        path = f"/v2/vendors/{vendor_id}/{kind}"
        return self.must(who or self.owner, "PUT", path, **body)["proposed"]["sha256"]

    def branding(self, vendor_id: str, site: str, logo: bytes) -> None:
        """Give a vendor a site and a logo, which the Foundation approves."""
        for kind, content in (("site", site), ("logo", logo)):
            path = f"/v2/vendors/{vendor_id}/{kind}/approval"
            document = {"sha256": self.propose(vendor_id, content)}
            self.must(self.foundation, "PUT", path, json=document)

    def deny(self, vendor_id: str, content: str | bytes, who: Person) -> None:
        """Propose a site or a logo of a vendor, which the Foundation denies."""
        kind = "site" if isinstance(content, str) else "logo"
        path = f"/v2/vendors/{vendor_id}/{kind}/denial"
        document = {"sha256": self.propose(vendor_id, content, who), "why": f"Another {kind}."}
        self.must(self.foundation, "POST", path, json=document)
