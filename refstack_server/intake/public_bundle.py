"""Check that a bundle may be public: it is the anonymised copy of that of a result."""

from pathlib import Path

from refstack_client.bundle import contents, pack
from refstack_client.bundle.contents import Bundle
from refstack_client.errors import ClientError
from refstack_server.intake import verify_upload
from refstack_server.settings import Settings
from refstack_server.store.errors import InvalidError

HINT = "Make it with: refstack-client bundle anonymise BUNDLE.zip --key KEY -o PUBLIC.zip"


def check(copy: Path, original: Path, settings: Settings) -> str:
    """Return the fingerprint of the key that signed an anonymised copy of a bundle.

    The copy is compared with the one that this server makes of the original: nothing but its
    signature is of whoever sent it.

    :raises InvalidError: it is not the anonymised copy, is not signed, or is not valid
    """
    fingerprint = verify_upload.signer_of(copy)
    if not fingerprint:
        raise InvalidError("The bundle is not signed", HINT)
    verify_upload.read_bundle(copy, settings)
    sent = Bundle.unpack(copy.read_bytes(), "the bundle")
    try:
        due = pack.anonymised(Bundle.unpack(original.read_bytes(), "the uploaded bundle"))
    except ClientError as error:
        raise InvalidError("The uploaded bundle cannot be anonymised", str(error)) from error
    members = {name: sent.members[name] for name in sent.members if name != contents.SIGNATURE}
    if not sent.manifest.anonymous:
        raise InvalidError("The bundle is not anonymised", HINT)
    for name in sorted(members.keys() | due.keys()):
        if members.get(name) != due.get(name):
            own, other = (
                Bundle(each).manifest.made_by.get("refstack-client", "") for each in (due, members)
            )
            raise InvalidError(
                f"The bundle is not the anonymised copy of this result's bundle: {name} differs",
                f"{HINT}, with release {own}; the bundle was made with {other or 'another'}",
            )
    return fingerprint
