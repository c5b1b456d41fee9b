"""The language of the project: retired words and phrases, and what to write instead.

Strings, docstrings, comments, templates and documents are scanned, one test for each room::

    python -m pytest tests/test_language.py -q
    python -m pytest tests/test_language.py -q -k refstack_client/outcomes
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import prose

ROOT = Path(__file__).parents[1]
PACKAGES = ("capabilities", "scoring", "refstack_client", "refstack_server")
SUFFIXES = {".py", ".rst", ".html", ".j2", ".yaml", ".yml", ".sh", ".ini", ".conf", ".txt"}
TOP = ("Makefile", "Dockerfile", "Dockerfile.sandbox", "compose.yaml", ".ci/run", "setup.cfg")
# Published data, lists of requirements, and files of others.
NOT_PROSE = ("capabilities/data/*", "scoring/data/*", "*/requirements/*", "*/constraints.txt")
NOT_PROSE += (
    "refstack_client/data/*.txt",
    "docs/examples/*",
    "tests/data/*",
    "tests/test_language.py",
)


@dataclass(frozen=True)
class Rule:
    """Words that are retired.

    :param pattern: regular expression; a space stands for any white space, case is ignored
    :param advice: what to write instead
    """

    pattern: str
    advice: str


RULES = (
    Rule(r"\bmend(s|ed|ing)?\b", "fix, repair; for a stream: truncate"),
    Rule(r"\b(tells?|told|telling)\b", "report, show, name; for two things: distinguish"),
    Rule(r"\b(says?|said|saying)\b", "report, show; message, detail"),
    Rule(r"\bspeaks? (for|of|with|to)\b", "name, describe, connect to; nothing here speaks"),
    Rule(r"\bcame to\b|\bwhat (\S+ ){0,6}comes? to\b", "outcome, result"),
    Rule(r"\bcomes? to (an?|no|nothing|something|the same|one|another)\b", "outcome, result"),
    Rule(r"\bfoundation(['’]s)? word\b|\b(give|gave|take|took)s? back\b", "verify, revoke"),
    Rule(r"\bwait(s|ing)? for (the )?foundation\b", "awaiting Foundation verification"),
    Rule(r"\b(vendor|owner)['’]?s?['’]? word\b|\b(its|their|whose) word\b", "attestation"),
    Rule(r"\b(stands?|stood|standing) on\b", "require; base programme"),
    Rule(r"\b(go|goes|going|went) before\b", "take precedence over"),
    Rule(
        r"\b(do|does|did) not hold\b|\b(bundle|check|signature|result|verdict|rule)s? holds?\b"
        r"|\bholds?[.,;:)]",
        "is valid, verification failed; check passed, check failed",
    ),
    Rule(r"(?<!there )\b(is|are|was|were) none\b", "is not a valid …; unexpected response"),
    Rule(
        r"(?<!there )\b(is|are|was|were) no "
        r"(?!(longer|more|less|fewer|later|earlier|other|such|need|way|reason)\b)\w+",
        'is not a valid …; "there is no …" is fine',
    ),
    Rule(r"\b(nobody|somebody|anybody|everybody)\b", "name who: the user, other users, a process"),
    Rule(
        r"\b(far|{}|ms|s|seconds?|is|are|was|were) away\b|\bfar-?away\b|\bhow far\b",
        "latency; unavailable",
    ),
    Rule(r"\b(troubl(e|es|ed|ing)|suffer(s|ed|ing)?)\b", "fault, inject, fault mode"),
    Rule(r"(?<!in )(?<!up )(?<!up-)\bfronts?\b(?![- ]?(end|page|matter))", "fault proxy"),
    Rule(r"\bdoors?\b", "port"),
    Rule(
        r"(?<![-.\w])left\b(?! ?[:=])(?![- ](out|blank|empty|unset|unchanged|alone|aligned|hand"
        r"|join|side|column|to right|margin|for)\b)",
        "remaining; leaked, orphaned, partial",
    ),
    Rule(r"\b(strays?|strayed|stayed|leftovers?|halves)\b", "leaked, orphaned, partial"),
    Rule(
        r"\b(what|whatever|all|everything|nothing|something) "
        r"(that )?((is|was|are|were|has been|had been) )?"
        r"(given|made|found|known|kept|seen|asked)\b",
        "the noun: run, resources, workspace, argument, list",
    ),
    Rule(
        r"\bthe (given|made|found|known|kept)\b(?=[.,;:)]| (is|are|was|were|of|in|and|or)\b)",
        "the noun: run, resources, workspace, argument, list",
    ),
    Rule(
        r"(?<!ip )(?<!ipv4 )(?<!ipv6 )(?<!mac )(?<!mail )(?<!email )(?<!loopback )(?<!fixed )"
        r"(?<!floating )(?<!network )(?<!remote )(?<!client['’]s )\baddress(es)?\b"
        r"(?! (pair|scope|group|space|famil)|_)",
        "URL; IP address, email address",
    ),
    Rule(r"\bproviders? of identit(y|ies)\b", "identity provider (IdP)"),
    Rule(r"\bis called there\b", "OIDC client ID"),
    Rule(r"\bold (world|ways?|clients?)\b", "RefStack v1, the original refstack-client"),
    Rule(r"\ba long way\b|\bthe way to\b", "latency, API round-trip time"),
    Rule(r"\bfor (all|everybody|everyone) to see\b", "visible to other users"),
    Rule(r"\b(out of which|of these|thereof|whereof)\b", "rewrite the sentence"),
    Rule(r"\b(no )?faults? of\b", "name the cause"),
    Rule(r"\b(?-i:we|We|our|Our|ours|us)\b", "name who does it; an imperative"),
)
# Legitimate uses: files, what the line contains, and why.
ALLOWED = (
    ("docs/how-to/server.rst", r'"(nobody|everybody)"', "values of the API"),
    ("scoring/formats/plots.py", "upper left", "a corner of a plot"),
)


def room_of(path: Path) -> str:
    """Return the room of a file: its directory, at most two levels deep."""
    parts = path.relative_to(ROOT).parts[:-1]
    return "/".join(parts[: 3 if parts[:1] == ("tests",) else 2]) or "."


def files() -> Iterator[Path]:
    """Yield the files with prose."""
    yield from (ROOT / name for name in TOP)
    yield from ROOT.glob("*.rst")
    for name in (*PACKAGES, "docs", "releasenotes", "tools", "benchmarks", "tests"):
        for path in sorted((ROOT / name).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.suffix in SUFFIXES and not any(map(relative.match, NOT_PROSE)):
                yield path


def rooms() -> dict[str, list[Path]]:
    """Return the files of each room."""
    by_room: dict[str, list[Path]] = {}
    for path in files():
        by_room.setdefault(room_of(path), []).append(path)
    return by_room


def compiled(rule: Rule) -> re.Pattern[str]:
    """Compile a rule so that a phrase is found across line breaks too."""
    # A space in a look-behind has a fixed width and stays a space.
    pieces = re.split(r"(\(\?<!.*?\)|\[[^\]]*\])", rule.pattern)
    spaced = (
        piece if index % 2 else piece.replace(" ", r"\s+") for index, piece in enumerate(pieces)
    )
    return re.compile("".join(spaced), re.IGNORECASE)


COMPILED = tuple((compiled(rule), rule.advice) for rule in RULES)


def is_allowed(path: Path, line: str) -> bool:
    """Return whether the allow-list has the use of a word in a line."""
    return any(
        path.relative_to(ROOT).match(where) and re.search(pattern, line)
        for where, pattern, _ in ALLOWED
    )


def findings(path: Path) -> Iterator[str]:
    """Yield one line of text for each retired word in a file."""
    # In tests a string literal is mostly data. Their docstrings and comments are prose.
    literals = "tests" not in path.relative_to(ROOT).parts
    for passage in prose.read(path, literals=literals):
        for pattern, advice in COMPILED:
            for match in pattern.finditer(passage.text):
                before = passage.text[: match.start()]
                line = passage.text.splitlines()[before.count("\n")]
                if not is_allowed(path, line):
                    words = " ".join(match[0].split())
                    number = passage.line + before.count("\n")
                    yield f'{path.relative_to(ROOT)}:{number}: "{words}" -> {advice}'


@pytest.mark.parametrize("room", rooms())
def test_a_room_has_no_retired_words(room: str) -> None:
    found = sorted({line for path in rooms()[room] for line in findings(path)})
    if found:
        pytest.fail("\n".join([f"{room}: {len(found)} retired words", *found]), pytrace=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"""Mend the stream."""', ["Mend"]),
        ("# What a killed run\n# left behind.", ["left"]),
        ('x = f"what {test} came to"', ["came to"]),
        ('x = "an add-on stands " \\\n    "on compute"', ["stands on"]),
        ('x = "that is no archive"', ["is no archive"]),
        ('x = "there is no archive called x"', []),
        ('x = "mended"', []),
        ('x = {"left": 1, "left-aligned text": 2}', []),
        ('x = "the cloud is {ms} ms away"', ["ms away"]),
        ('x = "given two lists, return one"', []),
        ('x = "IP address of the server"', []),
        ('x = "the address of the server"', ["address"]),
    ],
)
def test_retired_words_are_found_in_prose_alone(text, words, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "module.py").write_text(text)
    found = [line.split('"')[1] for line in findings(tmp_path / "module.py")]
    assert found == words
