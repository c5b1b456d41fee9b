"""Results to be judged, whatever they come in: a run directory or a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capabilities import catalogue, programme
from capabilities.guideline import Guideline
from capabilities.programme import Programme
from refstack_client import stream
from refstack_client.plan import read_matches
from refstack_client.run import Retries, Run, read_plan, retries
from scoring.outcome import Outcomes
from scoring.verdict import Verdict, judge


@dataclass(frozen=True)
class Results:
    """What a run or a stream left: a run's own guideline and plan come with it."""

    outcomes: Outcomes
    stream: Path
    guideline: Guideline | None = None
    plan: Mapping[str, Any] | None = None
    retries: Retries | None = None

    def programme(self, name: str | None) -> Programme | None:
        """Return the programme of the run's own guideline; None where there is no run."""
        if not self.guideline or not self.plan:
            return None
        return catalogue.with_bases(programme.find(self.guideline, name or self.plan["programme"]))

    def judge(self, chosen: Programme, *, strict: bool = False) -> Verdict:
        matches = read_matches(self.plan, chosen) if self.plan else None
        return judge(chosen, self.outcomes, matches, strict=strict)


def read(path: Path) -> Results:
    """Read a run directory or a subunit stream.

    :raises InputError: it is neither
    """
    if not path.is_dir():
        return Results(stream.read(path), path)
    run = Run(path)
    guideline, plan = read_plan(run)
    outcomes = stream.read_appended(run.stream)
    return Results(outcomes, run.stream, guideline, plan, retries(run))
