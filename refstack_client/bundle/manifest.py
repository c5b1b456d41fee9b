"""The manifest of a bundle: what is signed, and the SHA-256 of every other member."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from refstack_client.outcomes.json_value import JsonObject, JsonValue

FORMAT = 1
UNOFFICIAL = "Unofficial Results – Not Yet Accepted"
"""The label of results until the Foundation has accepted them (2017A C1.4)."""
OF_RUN, OF_STREAM = "run", "stream"
"""What a bundle was made from."""


@dataclass(frozen=True)
class MemberDigest:
    """The SHA-256 of a member in hexadecimal digits, and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class StatedCloud:
    """The cloud a bundle states its results are from; ``endpoints`` are URLs by service type."""

    auth_url: str
    region: str
    endpoints: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """What a bundle states. Verification computes guideline, verdict and digests again."""

    guideline: str
    guideline_sha256: str
    programme: str
    verdict: str
    source: str
    """:data:`OF_RUN` or :data:`OF_STREAM`."""
    anonymous: bool
    """Host names and IP addresses are placeholders."""
    members: Mapping[str, MemberDigest]
    made_by: Mapping[str, str]
    versions: Mapping[str, str]
    """Versions of Tempest and its plugins by package name."""
    images: tuple[Mapping[str, object], ...] = ()
    """The container images of the run, as attempts.jsonl has them."""
    started: str | None = None
    """Start of the first attempt, in ISO 8601."""
    ended: str | None = None
    cpid: str | None = None
    cloud: StatedCloud | None = None
    packages: tuple[Mapping[str, object], ...] = ()
    """The SHA-256 of the source of Tempest and its plugins, as attempts.jsonl has them."""
    roles: tuple[str, ...] = ()
    """Every role in a token that a test used."""
    challenge: Mapping[str, object] | None = None
    """The members of the challenge that the run answers."""
    cloud_identity: Mapping[str, object] | None = None
    """What identifies the cloud, as attempts.jsonl has it with the challenge."""
    label: str = UNOFFICIAL

    @classmethod
    def parse(cls, content: bytes, source: str) -> "Manifest":
        """Read the content of a ``manifest.json``.

        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls.from_json(JsonValue.parse(content, source))

    @classmethod
    def from_json(cls, document: JsonValue) -> "Manifest":
        """Read what :meth:`as_json` wrote.

        :raises InputError: it has another form; names file and JSON pointer
        """
        if (version := document.member("format")).number() != FORMAT:
            raise version.error(f"this release reads format {FORMAT}, not {version.value}")
        guideline = document.member("guideline")
        return cls(
            guideline=guideline.member("id").text(),
            guideline_sha256=guideline.member("sha256").text(),
            programme=document.member("programme").text(),
            verdict=document.member("verdict").text(),
            source=document.member("source").text(),
            anonymous=document.member("anonymous").boolean(),
            members={
                name: MemberDigest(member.member("sha256").text(), member.member("size").number())
                for name, member in document.member("members").members()
            },
            made_by=document.optional("made_by", JsonValue.text_by_name, {}),
            versions=document.optional("versions", JsonValue.text_by_name, {}),
            images=document.optional("images", _objects, ()),
            started=document.optional("started", JsonValue.text, None),
            ended=document.optional("ended", JsonValue.text, None),
            cpid=document.optional("cpid", JsonValue.text, None),
            cloud=document.optional("cloud", _cloud, None),
            packages=document.optional("packages", _objects, ()),
            roles=document.optional("roles", JsonValue.texts, ()),
            challenge=document.optional("challenge", JsonValue.object, None),
            cloud_identity=document.optional("cloud_identity", JsonValue.object, None),
            label=document.member("label").text(),
        )

    def as_json(self) -> JsonObject:
        """Return the document of ``manifest.json`` (docs/reference/bundle-format.rst)."""
        return {
            "format": FORMAT,
            "label": self.label,
            "made_by": dict(self.made_by),
            "guideline": {"id": self.guideline, "sha256": self.guideline_sha256},
            "programme": self.programme,
            "verdict": self.verdict,
            "source": self.source,
            "anonymous": self.anonymous,
            "versions": dict(self.versions),
            "images": [dict(image) for image in self.images],
            "started": self.started,
            "ended": self.ended,
            "cpid": self.cpid,
            "cloud": asdict(self.cloud) if self.cloud else {},
            "packages": [dict(packages) for packages in self.packages],
            "roles": list(self.roles),
            "challenge": self.challenge,
            "cloud_identity": self.cloud_identity,
            "members": {name: asdict(digest) for name, digest in self.members.items()},
        }


def _objects(document: JsonValue) -> tuple[Mapping[str, object], ...]:
    return tuple(item.object() for item in document.items())


def _cloud(document: JsonValue) -> StatedCloud | None:
    """Return the cloud; a bundle that names none has an empty object."""
    if not document.object():
        return None
    return StatedCloud(
        auth_url=document.member("auth_url").text(),
        region=document.member("region").text(),
        endpoints=document.member("endpoints").text_by_name(),
    )
