"""Run the commands that the documentation shows, against a real small cloud.

``docs_outputs.py [PAGE ...]`` prints where the shown output is not the actual one, and exits with
1 if there is any such place. ``--write`` puts the actual output into the pages. Without PAGE, it
takes README.rst and every page below docs. :mod:`shown_commands` has the rules for pages.

The pages of one call share a sandbox, which has a directory of its own and is removed at the end.
Each page starts in an empty home directory, shown as ``/home/alice``, with the cloud ``mycloud``
in its clouds.yaml and ``docs/examples`` in it.
"""

import argparse
import contextlib
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import shown_commands
import yaml
from shown_commands import Command, File, Page, Rewriter

from refstack_client.sandbox import virtualenv

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SHOWN_HOME = "/home/alice"
SECONDS_PER_PAGE = 900
_MARK = "@@@ end of command"
_SANDBOX = Path(".local/share/refstack-client/sandbox")
"""Where the sandbox of a user is, below the home directory."""


@dataclass(frozen=True)
class Outcome:
    """What a command of a page printed; no ``status`` means that it was not reached."""

    command: Command
    output: tuple[str, ...]
    status: int | None


@dataclass(frozen=True)
class Session:
    """A home directory with a sandbox, in which pages are executed.

    :param installed: where the services of sandboxes are installed
    """

    home: Path
    installed: Path

    @property
    def environ(self) -> dict[str, str]:
        """Return the whole environment of a page's commands; nothing of the caller's is in it."""
        return {
            "HOME": str(self.home),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "TERM": "dumb",
            "PYTHONUNBUFFERED": "1",
        }

    def execute(self, page: Page) -> list[Outcome]:
        """Return what the page's commands printed, each as it happened."""
        self._prepare(page)
        process = subprocess.run(
            ["bash", "--norc", "-c", _script(page)],
            cwd=self.home,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_PER_PAGE,
            check=False,
        )
        printed = process.stdout.replace(str(self.home), SHOWN_HOME)
        return list(_outcomes(page.executed, printed))

    def _prepare(self, page: Page) -> None:
        for path in self.home.iterdir():
            if path.name == ".local":
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        (self.home / ".ssh").mkdir(mode=0o700)
        shutil.copytree(ROOT / "docs" / "examples", self.home / "docs" / "examples")
        commands = "\n".join(command.text for command in page.executed)
        # With the caller's own environment: its proxies, certificates and caches.
        virtualenv.ensure(self.installed, _profile(commands), print)
        # A page that starts the sandbox itself shows how that looks from the beginning.
        if "sandbox up" in commands:
            self.client("sandbox", "down", "--wipe")
        elif "mycloud" in commands or "--os-cloud sandbox" in commands:
            self.client("sandbox", "up")
            self._write_mycloud()

    def _write_mycloud(self) -> None:
        clouds = yaml.safe_load((self.home / _SANDBOX / "storage" / "clouds.yaml").read_text())
        directory = self.home / ".config" / "openstack"
        directory.mkdir(parents=True)
        document = {"clouds": {"mycloud": clouds["clouds"]["sandbox"]}}
        (directory / "clouds.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def client(self, *arguments: str) -> None:
        """Run refstack-client in this session; its output is of no interest unless it fails."""
        subprocess.run(
            [BIN / "refstack-client", *arguments],
            env=self.environ,
            stdout=subprocess.DEVNULL,
            check=arguments[:2] != ("sandbox", "down"),
            timeout=SECONDS_PER_PAGE,
        )


def _profile(commands: str) -> str:
    """Return the profile of the sandbox that the commands of a page start."""
    named = re.search(r"--profile (\w+)", commands)
    return named[1] if named else "storage"


@contextlib.contextmanager
def session() -> Iterator[Session]:
    """Give a session; its sandbox is stopped and its home removed at the end.

    The sandbox's services are installed once, where ``REFSTACK_SANDBOX_ROOT`` (else ``.sandbox``
    of the checkout) keeps them for all sandboxes.
    """
    installed = Path(os.environ.get("REFSTACK_SANDBOX_ROOT") or ROOT / ".sandbox").resolve()
    home = Path(tempfile.mkdtemp(prefix="docs-"))
    opened = Session(home, installed)
    try:
        (home / _SANDBOX).mkdir(parents=True)
        for kind in ("environments", "golden"):
            (installed / kind).mkdir(parents=True, exist_ok=True)
            (home / _SANDBOX / kind).symlink_to(installed / kind)
        yield opened
    finally:
        opened.client("sandbox", "down", "--wipe")
        shutil.rmtree(home, ignore_errors=True)


def _script(page: Page) -> str:
    """Return a shell script: what the page's commands print is followed by a mark and the status.

    ``$?`` is for each command what the one before it returned, as on a terminal.
    """
    lines = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT", "_status=0"]
    for step in page.steps:
        if isinstance(step, File):
            lines.append(f"cat > {step.name} <<'END OF FILE'\n{step.text}END OF FILE")
        elif not step.not_run:
            for command in step.commands:
                lines += [
                    "(exit $_status)",
                    command.text,
                    f"_status=$?; printf '\\n{_MARK} %s\\n' $_status",
                ]
    return "\n".join(lines) + "\n"


def _outcomes(commands: Sequence[Command], printed: str) -> Iterator[Outcome]:
    rest = printed
    for command in commands:
        text, mark, after = rest.partition(f"\n{_MARK} ")
        status, _, rest = after.partition("\n")
        output = (
            tuple(line.rstrip() for line in text.strip("\n").split("\n")) if text.strip() else ()
        )
        yield Outcome(command, output, int(status) if mark else None)


def complaints(page: Page, outcomes: Sequence[Outcome]) -> list[str]:
    """Return where a page and what happened do not agree, one text for each command."""
    found = []
    for outcome, after in _with_next(outcomes):
        place = f"{page.path}:{outcome.command.line}: $ {outcome.command.text}"
        if outcome.status is None:
            found.append(f"{place}\n    was not reached")
        elif _failed(outcome, after):
            found.append(f"{place}\n    failed with {outcome.status}" + _text(outcome.output))
        elif outcome.command.output and not _agrees(outcome):
            found.append(f"{place}\n" + _difference(outcome))
    return found


def _with_next(outcomes: Sequence[Outcome]) -> Iterator[tuple[Outcome, str]]:
    """Yield each outcome with the text of the command after it."""
    texts = [outcome.command.text for outcome in outcomes[1:]]
    yield from zip(outcomes, [*texts, ""], strict=True)


def _failed(outcome: Outcome, after: str) -> bool:
    """Return whether a command failed, or was not reached, where the page does not show it."""
    return outcome.status is None or (outcome.status != 0 and "echo $?" not in after)


def _agrees(outcome: Outcome) -> bool:
    return shown_commands.agrees(_shown(outcome.command), outcome.output)


def _shown(command: Command) -> list[str]:
    """Return the shown output without blank lines at its end, which only set commands apart."""
    lines = [line.rstrip() for line in command.output]
    while lines and not lines[-1]:
        del lines[-1]
    return lines


def _difference(outcome: Outcome) -> str:
    wanted = [shown_commands.normalised(line) for line in _shown(outcome.command)]
    actual = [shown_commands.normalised(line) for line in outcome.output]
    return "\n".join(difflib.unified_diff(wanted, actual, "shown", "actual", lineterm="", n=1))


def _text(lines: Sequence[str]) -> str:
    return "".join(f"\n    {line}" for line in lines[-20:])


def rewrite(page: Page, outcomes: Sequence[Outcome]) -> bool:
    """Put the actual output into the page; return whether anything changed.

    The output of a command that failed unexpectedly is not written.

    :raises ValueError: the page was edited while its commands were executed
    """
    if page.path.read_text(encoding="utf-8") != page.text:
        raise ValueError(f"{page.path} was edited meanwhile: nothing is written")
    lines = page.text.split("\n")
    rewriter = Rewriter()
    replaced = [
        (outcome.command, rewriter.output(_shown(outcome.command), outcome.output))
        for outcome, after in _with_next(outcomes)
        if _shown(outcome.command) and not _failed(outcome, after)
    ]
    for command, output in reversed(replaced):
        end = command.line + len(_shown(command))
        lines[command.line : end] = [(command.indent + line).rstrip() for line in output]
    after = "\n".join(lines)
    if after != page.text:
        page.path.write_text(after, encoding="utf-8")
    return after != page.text


def pages() -> list[Path]:
    """Return the pages of the project that may show commands."""
    return [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]


def main() -> int:
    """Check or rewrite pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    parser.add_argument("--write", action="store_true", help="put the actual output into the pages")
    arguments = parser.parse_args()
    status = 0
    with session() as opened:
        for page in map(shown_commands.read, arguments.pages or pages()):
            if not page.executed:
                continue
            outcomes = opened.execute(page)
            if arguments.write and rewrite(page, outcomes):
                print(f"written: {page.path}")
                page = shown_commands.read(page.path)  # noqa: PLW2901
                outcomes = [
                    Outcome(command, outcome.output, outcome.status)
                    for command, outcome in zip(page.executed, outcomes, strict=True)
                ]
            found = complaints(page, outcomes)
            print(f"{page.path}: {len(page.executed)} commands, {len(found)} do not agree")
            print(*found, sep="\n")
            status |= bool(found)
    return status


if __name__ == "__main__":
    sys.exit(main())
