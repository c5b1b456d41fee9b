"""The marks of the programme that a result supports.

The tests alone decide OpenStack Compatible. OpenStack Powered also requires the attestation of the
designated sections: a statement of the vendor, which no test checks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from refstack_client.outcomes.attestation import YES
from refstack_server.intake.verify_upload import shipped_programme
from refstack_server.store.errors import NotFoundError
from refstack_server.store.schema import Result
from scoring.conformance.verdict import Conformance

COMPATIBLE, POWERED = "OpenStack Compatible", "OpenStack Powered"


class Mark(StrEnum):
    """Whether a result supports a mark."""

    YES = "yes"
    NO = "no"
    NOT_SHOWN = "not-shown"
    NOT_ATTESTED = "not-attested"


_BY_CONFORMANCE = {
    Conformance.CONFORMANT: Mark.YES,
    Conformance.NOT_CONFORMANT: Mark.NO,
    Conformance.INCOMPLETE: Mark.NOT_SHOWN,
}


@dataclass(frozen=True)
class Attested:
    """An attestation as a reader may see it.

    Readers who do not see all of the result see neither ``by`` nor ``product``: the first names a
    person, the second perhaps a private product. ``sections`` has the answer, yes or no, for each
    designated section of the programme. ``signer`` is the fingerprint of the key that signed the
    attestation itself, None if only the bundle is signed.
    """

    date: str
    sections: Mapping[str, str]
    signer: str | None
    by: str | None
    product: str | None

    @property
    def missing(self) -> Sequence[str]:
        """The sections that are not attested with yes."""
        return [section for section, answer in self.sections.items() if answer != YES]


@dataclass(frozen=True)
class Marks:
    """Whether a result supports each mark."""

    compatible: Mark
    powered: Mark

    @property
    def strongest(self) -> str:
        """The name of the strongest mark that the result supports, "" for none."""
        return next(
            (
                name
                for name, mark in ((POWERED, self.powered), (COMPATIBLE, self.compatible))
                if mark is Mark.YES
            ),
            "",
        )


def attested(result: Result, *, sees_all: bool) -> Attested | None:
    """Return the attestation of a result, None if its upload has none.

    :param sees_all: whether the reader sees all of the result
    """
    found = result.attestation
    if found is None:
        return None
    return Attested(
        date=found["date"],
        sections=found["sections"],
        signer=found["signer"] or None,
        by=found["by"] if sees_all else None,
        product=found["product"] if sees_all else None,
    )


def sections(result: Result) -> Sequence[str]:
    """Return the components whose designated sections the programme of a result names."""
    if not result.guideline or not result.programme:
        return ()
    try:
        return shipped_programme(result.guideline, result.programme).designated_sections
    except NotFoundError:  # An earlier release shipped the guideline.
        return ()


def marks(result: Result) -> Marks | None:
    """Return the marks that a result supports, None if its programme has none, or no verdict."""
    if not result.conformance or not sections(result):
        return None
    compatible = _BY_CONFORMANCE[Conformance(result.conformance)]
    stated = attested(result, sees_all=False)
    if compatible is Mark.NO or (stated and stated.missing):
        return Marks(compatible, Mark.NO)
    return Marks(compatible, compatible if stated else Mark.NOT_ATTESTED)
