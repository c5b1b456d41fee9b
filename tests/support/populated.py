"""A collector with all there is to look at: vendors, products, results of every standing, a queue.

The users sign in at the identity provider; those who own something have keys too.
"""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from capabilities import catalogue, programme
from refstack_client.bundle import archive, pack
from support import making
from support.bundles import make_key, registered
from support.identities import Provider
from support.publishing import Publisher, changing
from support.serving import Person, Server, add_user, official_vendor_of, person, user_path
from support.streams import StreamWriter

PLATFORM = {"guideline": "2022.11", "programme": "platform"}
LONG_NAME = "Rechenzentrumsbetriebsgesellschaft " + "W" * 45
"""A name of 80 characters, 45 of them without a place to break."""
UNBROKEN = "E" * 180


@dataclass(frozen=True)
class Populated:
    """A server, and the paths of its pages by what they show."""

    server: Server
    provider: Provider
    paths: dict[str, str]


def large_stream() -> bytes:
    """Return a stream of the platform programme: some 300 tests, of which some failed."""
    wanted = programme.find(catalogue.load("2022.11")[0], "platform")
    writer = StreamWriter()
    for number, test in enumerate(wanted.counted_tests()):
        name = f"{test.name}[{test.idempotent_id}]"
        if number % 10:
            writer.test(name, "success")
        elif number % 20:
            writer.test(name, "skip", reason=f"Feature {number} is not available")
        else:
            reason = f"tempest.lib.exceptions.ServerFault: Got server fault {number} {UNBROKEN}"
            writer.test(name, "fail", traceback=f"Traceback:\n{reason}\n")
    return writer.content


def bundle(place: Path, key: Path, number: int, failing: int = 0) -> bytes:
    """Return a signed bundle of a run of its own of the storage programme."""
    failed = set(making.NAMES[:failing])
    made = making.make_run(
        place / f"run-{number}",
        lambda name: "fail" if name in failed else "success",
        started=making.BEGIN + timedelta(hours=number),
        traceback="AssertionError: 409 is not 202",
    )
    members = pack.make(pack.of_run(made), anonymous=False, attested={})
    return archive.pack(pack.signed(members, key))


class _Filling:
    """Fills a server; ``paths`` are those of the pages made so far."""

    def __init__(self, server: Server, provider: Provider, place: Path) -> None:
        names = ("alice", "carol", "root")
        people = [Person(f"{provider.url}/{name}", person(name).key) for name in names]
        for name, who in zip(names, people, strict=True):
            add_user(server.data, who, is_foundation=name == "root")
        self.alice, self.carol, self.root = people
        self.server, self.place, self.paths = server, place, {}
        self.at = Publisher(server, self.alice, self.root)
        self.key = make_key(place / "key")
        registered(server, self.alice, self.key)
        self._numbers = itertools.count()

    def vendors(self) -> None:
        at = self.at
        vendor = at.vendor("Acme Clouds")
        text = "Runs clouds for hospitals and universities.\nIn four regions, since 2014."
        at.must(self.alice, "PUT", f"/v1/vendors/{vendor}", json={"description": text})
        product = at.product(vendor, "Acme Public Cloud")
        hidden = at.product(vendor, "Laboratory", is_public=False)
        long_product = at.product(at.vendor(LONG_NAME), "Distribution " + "X" * 60)
        self.version, self.older = at.version(product, "7.2"), at.version(product, "6.0")
        self.long_version = at.version(long_product, "1")
        self.paths["vendor"] = f"/vendors/{vendor}"
        self.paths["product"] = f"/products/{product}"
        self.paths["private product"] = f"/products/{hidden}"

    def result(self, name: str, failing: int, version: str = "") -> str:
        content = bundle(self.place, self.key, next(self._numbers), failing)
        made = self.at.must(self.alice, "POST", "/v2/bundles", data=content)["id"]
        self.paths[name] = f"/results/{made}"
        if version:
            document = {"product_version_id": version}
            self.at.must(self.alice, "PUT", f"/v1/results/{made}", json=document)
        return made

    def share(self, result_id: str, with_: str = "everybody") -> None:
        path = f"/v2/results/{result_id}/sharing"
        self.at.must(self.alice, "PUT", path, json={"with": with_})

    def decided(self) -> None:
        """Add results that the Foundation decided about."""
        self.result("verified", 0, self.version)
        expired = self.result("expired", 0, self.older)
        revoked = self.result("revoked", 0, self.long_version)
        for name in ("verified", "expired", "revoked"):
            result_id = self.paths[name].rpartition("/")[2]
            self.share(result_id)
            self.at.verify(result_id, until="2099-01-31")
        with changing(self.server, "") as connection:
            change = "UPDATE results SET verified_until = '2026-01-31 00:00:00' WHERE id = :id"
            connection.execute(sa.text(change), {"id": expired})
        why = "The cloud was rebuilt with another release, and not tested again."
        self.at.revoke(revoked, why)

    def undecided(self) -> None:
        """Add results of every format that the Foundation has not decided about."""
        self.share(self.result("failed", 3, self.version))
        self.share(self.result("pending", 2, self.version), "certifier")
        self.result("private", 1)
        content = large_stream()
        made = self.at.must(self.alice, "POST", "/v2/streams", params=PLATFORM, data=content)["id"]
        document = {"product_version_id": self.version}
        self.at.must(self.alice, "PUT", f"/v1/results/{made}", json=document)
        self.share(made)
        self.paths["large"] = f"/results/{made}"
        self.paths["incomplete"] = f"/results/{self.at.result(self.version, 'object')}"
        self.paths["passes"] = f"/results/{self.server.upload(['tempest.api.x.C.test_y'])}"
        for _ in range(20):
            self.server.upload(["tempest.api.x.C.test_y"])

    def requests_to_the_foundation(self) -> None:
        """Add vendors that ask for approval, one that was denied, and an invitation."""
        at, alice, carol, root = self.at, self.alice, self.carol, self.root
        inviting = official_vendor_of(self.server, carol, root, "Borealis")
        at.must(carol, "PUT", user_path(inviting, alice))
        for name in ("Cobalt One", "C0balt One"):
            asking = at.must(carol, "POST", "/v1/vendors", json={"name": name})["id"]
            at.must(carol, "POST", f"/v1/vendors/{asking}/action", json={"register": True})
        own = at.must(alice, "POST", "/v1/vendors", json={"name": "Side project"})["id"]
        denial = {"deny": True, "registration_decline_reason": "The company is not registered."}
        for who, step in ((alice, {"register": True}), (root, denial)):
            at.must(who, "POST", f"/v1/vendors/{own}/action", json=step)
        self.paths["denied vendor"] = f"/vendors/{own}"


def populate(server: Server, provider: Provider, place: Path) -> Populated:
    """Fill a server."""
    filling = _Filling(server, provider, place)
    filling.vendors()
    filling.decided()
    filling.undecided()
    filling.requests_to_the_foundation()
    return Populated(server, provider, filling.paths)
