"""The collector's HTTP API for its users: results, vendors, products, invitations and keys."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

import requests

from refstack_client.errors import CloudError, InputError
from refstack_client.upload import http, refstack_api
from refstack_client.upload.collector_requests import (
    CollectorRequests,
    Record,
    RefusedError,
    path_of,
    records_of,
)

_WITHOUT_LIST = (requests.codes.not_found, requests.codes.method_not_allowed)
_OF_V1 = {
    "uploaded_since": ("start_date", "{} 00:00:00"),
    "uploaded_until": ("end_date", "{} 23:59:59"),
}
"""Filters of ``/v2/results`` that RefStack v1 has under another name, and the form of a value."""


class Collector(CollectorRequests):
    """Requests about results, vendors, products, invitations and keys; a method sends one."""

    def profile(self) -> Record:
        """Return the user: ``openid``, ``fullname``, ``email``, ``is_admin``."""
        return self._record("GET", "/v1/profile")

    def results(self, filters: Mapping[str, str]) -> Iterator[Record]:
        """Yield results, page by page.

        A server without ``GET /v2/results`` is asked as RefStack v1 is.

        :param filters: names and values as the API has them
        :raises InputError: such a server does not have one of the filters
        """
        parameters: Mapping[str, str] = filters
        while True:
            try:
                page = self._record("GET", "/v2/results", params=parameters)
            except RefusedError as error:
                if error.status not in _WITHOUT_LIST or parameters is not filters:
                    raise
                yield from self._results_of_v1(filters)
                return
            yield from records_of(page.get("results"))
            if not page.get("next"):
                return
            # Of the URL only the query: the token is for no other server and path.
            parameters = dict(parse_qsl(urlsplit(str(page["next"])).query))

    def _results_of_v1(self, filters: Mapping[str, str]) -> Iterator[Record]:
        unknown = set(filters) - {*_OF_V1, "mine", "most"}
        if unknown:
            raise InputError(
                f"{self.server.url} cannot select results by {', '.join(sorted(unknown))}: it is "
                "an older release",
                hint="list all with -f json, and select from them",
            )
        wanted = {
            name: form.format(filters[of_v2])
            for of_v2, (name, form) in _OF_V1.items()
            if of_v2 in filters
        }
        if "mine" in filters:
            wanted["signed"] = "true"
        for row in refstack_api.results(self.server, wanted, self.notify):
            meta = row.get("meta") or {}
            yield {
                **row,
                "guideline": meta.get("guideline"),
                "programme": meta.get("target"),
                "shared_with": "everybody" if meta.get("shared") == "true" else None,
                "standing": "verified" if row.get("verification_status") == 1 else "unofficial",
                "uploaded_at": row.get("created_at"),
            }

    def result(self, result_id: str) -> Record:
        """Return a result without its outcomes."""
        return self._record("GET", path_of("v2", "results", result_id))

    def outcomes(self, result_id: str) -> list[Record]:
        """Return each outcome of a result in order: ``test``, ``outcome`` and ``reason``."""
        return list(records_of(self._value("GET", path_of("v2", "results", result_id, "outcomes"))))

    def bundle(self, result_id: str) -> bytes:
        """Return the bundle of a result of the user, as it was uploaded."""
        return self._send("GET", path_of("v2", "results", result_id, "bundle")).content

    def share(self, result_id: str, with_: str) -> Record:
        """Change who may see a result, in the words of the API."""
        return self._record("PUT", path_of("v2", "results", result_id, "sharing"), {"with": with_})

    def publish_bundle(self, result_id: str, content: bytes) -> Record:
        """Publish the anonymised copy of the bundle of a public result."""
        return http.document(
            self._send("PUT", _public_bundle(result_id), body=content), self.server
        )

    def withdraw_bundle(self, result_id: str) -> None:
        """Withdraw the public bundle of a result."""
        self._send("DELETE", _public_bundle(result_id))

    def attach(self, result_id: str, version_id: str) -> Record:
        """Attach a result to a version of a product."""
        document = {"product_version_id": version_id}
        return self._record("PUT", path_of("v1", "results", result_id), document)

    def delete_result(self, result_id: str) -> None:
        """Remove a result."""
        self._send("DELETE", path_of("v1", "results", result_id))

    def verify(self, result_id: str, until: str | None, why: str | None) -> Record:
        """Verify a result for the Foundation, until a date in ISO format or without end.

        :param why: the public reason, which a result needs that is not conformant
        """
        path = path_of("v2", "results", result_id, "verification")
        reason = {} if why is None else {"why": why}
        return self._record("PUT", path, {"until": until, **reason})

    def revoke(self, result_id: str, why: str) -> Record:
        """Revoke the verification of a result for a public reason."""
        return self._record("POST", path_of("v2", "results", result_id, "revocation"), {"why": why})

    def vendors(self) -> Sequence[Record]:
        """Return the official vendors and the user's own."""
        return records_of(self._record("GET", "/v1/vendors").get("vendors"))

    def vendor(self, vendor_id: str) -> Record:
        """Return a vendor."""
        return self._record("GET", path_of("v1", "vendors", vendor_id))

    def create_vendor(self, name: str, description: str | None) -> str:
        """Add a private vendor of the user; return its id."""
        document = {"name": name, "description": description}
        return _id(self._record("POST", "/v1/vendors", document))

    def take_step(self, vendor_id: str, step: str, fields: Mapping[str, str]) -> None:
        """Take a step of the registration of a vendor: register, cancel, approve or deny."""
        path = path_of("v1", "vendors", vendor_id, "action")
        self._send("POST", path, {step: True, **fields})

    def users(self, vendor_id: str) -> Sequence[Record]:
        """Return the users of a vendor; none if the user does not act for it."""
        return records_of(self._value("GET", path_of("v1", "vendors", vendor_id, "users")))

    def invite(self, vendor_id: str, openid: str) -> None:
        """Invite a user to act for a vendor."""
        self._send("PUT", _user_path(vendor_id, openid))

    def remove_user(self, vendor_id: str, openid: str) -> None:
        """Remove a user from a vendor, or withdraw an invitation."""
        self._send("DELETE", _user_path(vendor_id, openid))

    def invitations(self) -> Sequence[Record]:
        """Return the invitations that the user has not answered."""
        return records_of(self._value("GET", "/v2/invitations"))

    def accept(self, vendor_id: str) -> None:
        """Accept an invitation."""
        self._send("PUT", path_of("v2", "invitations", vendor_id))

    def decline(self, vendor_id: str) -> None:
        """Decline an invitation."""
        self._send("DELETE", path_of("v2", "invitations", vendor_id))

    def products(self, vendor_id: str | None) -> Sequence[Record]:
        """Return the public products and the user's own, of one vendor if it is named."""
        params = {"organization_id": vendor_id} if vendor_id else {}
        return records_of(self._record("GET", "/v1/products", params=params).get("products"))

    def product(self, product_id: str) -> Record:
        """Return a product."""
        return self._record("GET", path_of("v1", "products", product_id))

    def create_product(self, fields: Mapping[str, object]) -> str:
        """Add a product; return its id."""
        return _id(self._record("POST", "/v1/products", fields))

    def publish_product(self, product_id: str) -> Record:
        """Make a product public."""
        return self._record("PUT", path_of("v1", "products", product_id), {"public": True})

    def versions(self, product_id: str) -> Sequence[Record]:
        """Return the versions of a product."""
        return records_of(self._value("GET", path_of("v1", "products", product_id, "versions")))

    def add_version(self, product_id: str, fields: Mapping[str, object]) -> Record:
        """Add a version to a product."""
        return self._record("POST", path_of("v1", "products", product_id, "versions"), fields)

    def keys(self) -> Sequence[Record]:
        """Return the public keys of the user."""
        return records_of(self._value("GET", "/v1/profile/pubkeys"))

    def key_challenge(self) -> str:
        """Return the text that a key signs to be registered."""
        return str(self._record("GET", "/v2/keys/challenge").get("challenge", ""))

    def add_key(self, key: str, challenge: str, signature: str) -> Record:
        """Register a key; return its ``id`` and ``fingerprint``."""
        document = {"key": key, "challenge": challenge, "signature": signature}
        return self._record("POST", "/v2/keys", document)

    def remove_key(self, key_id: str) -> None:
        """Remove a key."""
        self._send("DELETE", path_of("v1", "profile", "pubkeys", key_id))


def _public_bundle(result_id: str) -> str:
    return path_of("v2", "results", result_id, "public-bundle")


def _user_path(vendor_id: str, openid: str) -> str:
    return path_of("v1", "vendors", vendor_id, "users", base64.b64encode(openid.encode()).decode())


def _id(record: Record) -> str:
    if not isinstance(record.get("id"), str):
        raise CloudError(
            "unexpected response: it has no id",
            hint="check that the URL of the login is that of a collector",
        )
    return str(record["id"])
