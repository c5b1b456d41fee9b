"""Who may see a result, as the owner chooses on pages."""

from dataclasses import dataclass

from refstack_server.store.schema import Result
from refstack_server.store.sharing import Sharing, sharing


@dataclass(frozen=True)
class Change:
    """A change of who may see a result: its button, and what it means."""

    label: str
    meaning: str
    title: str


CHANGES = {
    Sharing.CERTIFIER: Change(
        "Share with the certifier",
        "The Foundation sees the result with its bundle. Other users do not see it.",
        "Share this result with the certifier?",
    ),
    Sharing.EVERYBODY: Change(
        "Publish",
        "Everyone sees the verdict, the outcomes, the reasons without names of your cloud, and the "
        "hash of the bundle. The public log records the publication, and keeps it.",
        "Publish this result?",
    ),
    Sharing.NOBODY: Change(
        "Withdraw",
        "Only you and the users of your vendor see the result.",
        "Withdraw this result?",
    ),
}
"""Changes by who may see the result afterwards."""


def choices(result: Result) -> dict[Sharing, Change]:
    """Return the changes of who may see a result, none for a verified one."""
    if result.is_verified:
        return {}
    now = sharing(result)
    return {with_: change for with_, change in CHANGES.items() if with_ is not now}
