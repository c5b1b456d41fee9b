"""Damaged streams in large numbers: only InputError, little memory, and never one pass more."""

import random
import resource

import pytest

from refstack_client.errors import InputError
from refstack_client.outcomes import stream_tools, subunit_stream
from scoring.conformance.outcomes import Outcome

MUTATIONS = pytest.mark.parametrize(
    "mutations", [2_000, pytest.param(100_000, marks=pytest.mark.long)]
)
MOST_MEGABYTES_MORE = 150


def clean_stream(writer) -> bytes:
    for number in range(5):
        name = f"mod.Class.t{number}[id-{number:08d}-1111-1111-1111-111111111111]"
        status = ("success", "fail", "skip", "success", "success")[number]
        writer.test(name, status, traceback="ValueError: no", reason="no feature")
    writer.test("setUpClass (mod.Other)", "fail", traceback="KeyError: 'x'")
    return writer.content


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return ``content`` with one to four of: a byte changed, cut out, put in, moved, cut short."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice((1, 1, 2, 8, 60)))
        match rng.randrange(6):
            case 0 if start < len(data):
                data[start] = rng.randrange(256)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = rng.randbytes(rng.choice((1, 2, 8)))
            case 3:
                data[start:start] = data[start:end]
            case 4:
                piece = data[start:end]
                del data[start:end]
                place = rng.randrange(len(data) + 1)
                data[place:place] = piece
            case _:
                del data[start:]
    return bytes(data)


def passes(content: bytes) -> set[str]:
    try:
        outcomes = subunit_stream.parse(content, "x")
    except InputError:
        return set()
    return {each.test.full for each in outcomes.attempts if each.outcome is Outcome.PASS}


@MUTATIONS
def test_damaged_streams_never_pass_more_and_raise_no_error_but_ours(writer, mutations):
    content = clean_stream(writer)
    known = passes(content)
    assert len(known) == 3
    rng = random.Random(20261121)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fewer = 0
    for _ in range(mutations):
        found = passes(mutated(content, rng))
        assert found <= known
        fewer += len(found) < len(known)
    assert fewer > mutations / 2  # the damage is damage
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MOST_MEGABYTES_MORE * 1024


@MUTATIONS
def test_damaged_streams_of_version_1_raise_no_error_but_ours(mutations):
    content = (
        b"".join(
            b"test: mod.Class.t%d[id-%08d-1111-1111-1111-111111111111]\n"
            b"success: mod.Class.t%d[id-%08d-1111-1111-1111-111111111111]\n"
            % (each, each, each, each)
            for each in range(5)
        )
        + b"test: mod.Class.bad\nfailure: mod.Class.bad [\nValueError: no\n]\n"
    )
    known = len(passes(content))
    assert known == 5
    rng = random.Random(20261121)
    for _ in range(mutations // 10):
        # Version 1 has no checksum: another name may pass, but not more of them.
        cut = content[: rng.randrange(len(content))]
        assert len(passes(cut)) <= known
        passes(mutated(content, rng))


def test_a_runs_own_stream_may_speak_of_no_test_yet(writer, tmp_path):
    writer.end("setUpClass (mod.Class)", None, traceback="half of what a killed class left")
    path = tmp_path / "stream"
    path.write_bytes(writer.content)
    assert subunit_stream.read_appended(path).attempts == ()
    assert stream_tools.truncate_incomplete(path) == 0
    path.write_bytes(b"")
    assert subunit_stream.read_appended(path).attempts == ()


def test_what_a_kill_left_half_written_is_cut_off_and_nothing_else(writer, tmp_path):
    content = clean_stream(writer)
    path = tmp_path / "stream"
    whole = set()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        cut = stream_tools.truncate_incomplete(path)
        assert path.read_bytes() == content[: length - cut]
        whole.add(length - cut)
        assert stream_tools.truncate_incomplete(path) == 0
        with path.open("ab") as kept:
            kept.write(content)
        assert passes(path.read_bytes()) == passes(content)
    assert max(whole) == len(content)
    assert stream_tools.truncate_incomplete(tmp_path / "absent") == 0
