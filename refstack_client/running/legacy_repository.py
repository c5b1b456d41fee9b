"""Results where the original refstack-client has them: in the stestr repository of ``.tempest``.

``.tempest/.stestr/N`` is the stream of run N, in version 1 of subunit, and ``TAG-N.json`` beside it
its passed tests. ``stestr last`` and scripts that look for these files find them there.
"""

from pathlib import Path
from typing import Any

import subunit
from stestr.repository import abstract, file

from refstack_client.errors import MachineError

DIRECTORY = Path(".tempest")
_CONF = "[DEFAULT]\ntest_path=.\n"
"""Without one, the commands of stestr do not start."""


class LegacyRepository:
    """The repository below the working directory; it is created if there is none."""

    def __init__(self) -> None:
        """Open the repository.

        :raises MachineError: it cannot be created or used
        """
        self._directory = DIRECTORY.resolve()
        factory = file.RepositoryFactory()
        try:
            self._directory.mkdir(exist_ok=True)
            if not (conf := self._directory / ".stestr.conf").exists():
                conf.write_text(_CONF, encoding="utf-8")
            try:
                self._repository: Any = factory.open(str(self._directory))
            except abstract.RepositoryNotFound:
                self._repository = factory.initialise(str(self._directory))
            self._repository.count()  # damage is found before the run
        except (OSError, ValueError) as error:
            raise MachineError(
                f"{DIRECTORY}: the results cannot be stored there: {error}",
                hint="run the command in a directory that can be written",
            ) from error

    def add(self, stream: Path) -> Path:
        """Add the stream of a run; return the path of its copy.

        :param stream: a file in version 2 of subunit
        """
        inserter = self._repository.get_inserter()
        inserter.startTestRun()
        with stream.open("rb") as source:
            subunit.ByteStreamToStreamResult(source, non_subunit_name="stdout").run(inserter)
        inserter.stopTestRun()
        return DIRECTORY / ".stestr" / str(inserter.get_id())


def results_file(stream: Path, tag: str) -> Path:
    """Return the path for the results of a run: ``N.json``, or ``TAG-N.json``.

    :param stream: as :meth:`LegacyRepository.add` returns it
    """
    return stream.with_name(f"{tag}-{stream.name}.json" if tag else f"{stream.name}.json")
