"""Requests about logos and sites of vendors to a collector."""

from collections.abc import Sequence

from refstack_client.upload.collector_requests import (
    CollectorRequests,
    Record,
    path_of,
    records_of,
)


class VendorBranding(CollectorRequests):
    """Requests about logos and sites; a method sends one. A kind is ``logo`` or ``site``."""

    def show(self, vendor_id: str, kind: str) -> Record:
        """Return the ``approved`` and the ``proposed`` logo or site of a vendor.

        :param kind: ``logo`` or ``site``
        """
        return self._record("GET", path_of("v2", "vendors", vendor_id, kind))

    def waiting(self) -> Sequence[Record]:
        """Return the logos and sites that await approval."""
        return records_of(self._value("GET", "/v2/branding"))

    def logo(self, vendor_id: str, sha256: str) -> bytes:
        """Return the logo of a vendor with a SHA-256 as PNG, "" for the approved one."""
        return self._send(
            "GET", path_of("vendors", vendor_id, "logo", *filter(None, [sha256]))
        ).content

    def propose_site(self, vendor_id: str, url: str) -> None:
        """Propose the site of a vendor."""
        self._send("PUT", path_of("v2", "vendors", vendor_id, "site"), {"url": url})

    def propose_logo(self, vendor_id: str, image: bytes) -> None:
        """Propose the logo of a vendor."""
        self._send("PUT", path_of("v2", "vendors", vendor_id, "logo"), body=image)

    def approve(self, vendor_id: str, kind: str, sha256: str) -> None:
        """Approve the proposed logo or site with a SHA-256."""
        path = path_of("v2", "vendors", vendor_id, kind, "approval")
        self._send("PUT", path, {"sha256": sha256})

    def deny(self, vendor_id: str, kind: str, sha256: str, why: str) -> None:
        """Deny the proposed logo or site with a SHA-256."""
        path = path_of("v2", "vendors", vendor_id, kind, "denial")
        self._send("POST", path, {"sha256": sha256, "why": why})

    def withdraw(self, vendor_id: str, kind: str) -> None:
        """Withdraw the proposed logo or site."""
        self._send("DELETE", path_of("v2", "vendors", vendor_id, kind, "proposal"))

    def remove(self, vendor_id: str, kind: str) -> None:
        """Remove the approved logo or site."""
        self._send("DELETE", path_of("v2", "vendors", vendor_id, kind))
