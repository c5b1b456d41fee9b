"""How pages are read, compared with real output and rewritten: without a cloud."""

import subprocess
from pathlib import Path

import docs_outputs
import pytest
import shown_commands
from docs_outputs import Outcome
from hypothesis import given
from hypothesis import strategies as st
from shown_commands import Block, File, Rewriter, agrees, is_same

PAGE = """\
A page
======

.. code-block:: console

   $ first --option \\
       more
   one
     two

   three
   $ second

.. not run: it needs a moon
.. code-block:: console

   $ third

.. note::

   .. code-block:: console

      $ fourth
      …
      end

.. code-block:: yaml
   :caption: a.yaml

   key: value

A literal block is no command::

    $ fifth
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.rst"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_a_page_is_read_in_its_order(page: Path) -> None:
    read = shown_commands.read(page)

    first, not_run, nested, file = read.steps
    assert isinstance(first, Block)
    assert [command.text for command in first.commands] == ["first --option \\\n    more", "second"]
    assert first.commands[0].output == ("one", "  two", "", "three")
    assert isinstance(not_run, Block)
    assert not_run.not_run == "it needs a moon"
    assert isinstance(nested, Block)
    assert nested.commands[0].output == ("…", "end")
    assert file == File("a.yaml", "key: value\n")
    assert [command.text.split()[0] for command in read.executed] == ["first", "second", "fourth"]


def test_output_stands_in_the_page_where_the_command_says(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()

    for command in shown_commands.read(page).executed:
        for place, line in enumerate(command.output, command.line):
            assert lines[place] == (command.indent + line).rstrip()


def test_output_without_a_command_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.rst"
    path.write_text(".. code-block:: console\n\n   out\n   $ in\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"page\.rst:3: output without a command"):
        shown_commands.read(path)


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("run: runs/20261126T162701Z-d4a44e", "run:    runs/20270101T000000Z-000000"),
        ("at http://127.0.0.1:32873/v3", "at http://127.0.0.1:5/v3"),
        ("about 0 min 22 s, 3 tests at a time", "about 1 min 2 s, 12 tests at a time"),
        (
            "| keystone | 2895 | http://127.0.0.1:1/v3 |",
            "| keystone |  5 | http://127.0.0.1:2/v3 |",
        ),
        ("+-----+----+", "+---+------+"),
        ("SHA-256 5ad64f20c5bd6021…", "SHA-256 ffffffffffff0021…"),
        ("signed by …", "signed by alice"),
    ],
)
def test_ids_times_ports_and_widths_make_no_difference(shown: str, actual: str) -> None:
    assert is_same(shown, actual)


@pytest.mark.parametrize(
    ("shown", "actual"),
    [
        ("58/58 required tests", "57/58 required tests"),
        ("58 tests", "57 tests"),
        ("CONFORMANT", "NOT CONFORMANT"),
        ("guideline 2020.06", "guideline 2022.11"),
        ("a.b", "axb"),
        ("", "text"),
    ],
)
def test_everything_else_makes_a_difference(shown: str, actual: str) -> None:
    assert not is_same(shown, actual)


@pytest.mark.parametrize(
    ("shown", "actual", "expected"),
    [
        ("a b c", "a b c", True),
        ("a b", "a b c", False),
        ("a …", "a b c", True),
        ("a …", "a", True),
        ("… c", "a b c", True),
        ("… c", "a b c d", False),
        ("a … c", "a b b c", True),
        ("a … b … d", "a x b y d", True),
        ("a … y … b …", "a x b y d", False),
        ("a … a", "a", False),
        ("...", "", True),
        ("", "a", False),
    ],
)
def test_an_elision_stands_for_any_lines(shown: str, actual: str, expected: bool) -> None:
    assert agrees(shown.split(), actual.split()) is expected


WORDS = st.lists(st.sampled_from(["alpha", "beta", "gamma one", "delta two", ""]), max_size=8)


@given(shown=WORDS, actual=WORDS, elisions=st.lists(st.integers(0, 8), max_size=3))
def test_what_was_rewritten_agrees_and_stays(
    shown: list[str], actual: list[str], elisions: list[int]
) -> None:
    for place in elisions:
        shown.insert(place, "…")

    written = Rewriter().output(shown, actual)

    assert agrees(written, actual)
    assert Rewriter().output(written, actual) == written


def test_rewriting_changes_the_lines_that_differ_and_keeps_elisions_and_ids() -> None:
    shown = ["run: runs/20261126T162701Z-d4a44e", "…", "OK 58/58 tests", "took 3 s"]
    actual = ["run: runs/20270101T000000Z-000000", "x", "y", "CONFORMANT 58/58 tests", "took 4 s"]

    assert Rewriter().output(shown, actual) == [*shown[:2], "CONFORMANT 58/58 tests", "took 3 s"]


def test_an_id_that_the_page_shows_stays_the_same_in_changed_lines() -> None:
    rewriter = Rewriter()
    rewriter.output(
        ["run: 20261126T162701Z-d4a44e", "at 127.0.0.1:42019 in 3 s", "x"],
        ["run: 20270101T000000Z-000000", "at 127.0.0.1:34875 in 4 s", "y"],
    )

    written = rewriter.output(
        ["?"], ["report: 20270101T000000Z-000000/report.html", "127.0.0.1:34875 waits 4 s"]
    )

    assert written == [
        "report: 20261126T162701Z-d4a44e/report.html",
        "127.0.0.1:42019 waits 4 s",
    ]


def outcomes(page: shown_commands.Page, *printed: tuple[str, int | None]) -> list[Outcome]:
    return [
        Outcome(command, tuple(text.splitlines()), status)
        for command, (text, status) in zip(page.executed, printed, strict=True)
    ]


def test_complaints_name_the_place_and_what_differs(page: Path) -> None:
    read = shown_commands.read(page)

    found = docs_outputs.complaints(
        read, outcomes(read, ("one\n  two\n\nfour", 0), ("boom", 5), ("", None))
    )

    assert [text.splitlines()[0].split(": $ ")[1] for text in found] == [
        "first --option \\",
        "second",
        "fourth",
    ]
    assert "-three\n+four" in found[0]
    assert "failed with 5" in found[1]
    assert "boom" in found[1]
    assert "not reached" in found[2]


def test_a_page_that_is_rewritten_has_the_actual_output_in_place(page: Path) -> None:
    read = shown_commands.read(page)
    happened = outcomes(read, ("one\n  two\nextra\n\nfour", 0), ("silent", 0), ("a\nb\nend", 0))

    assert docs_outputs.rewrite(read, happened)

    written = page.read_text(encoding="utf-8")
    assert written == PAGE.replace("     two\n\n   three\n", "     two\n   extra\n\n   four\n")
    again = shown_commands.read(page)
    happened = outcomes(again, ("one\n  two\nextra\n\nfour", 0), ("silent", 0), ("a\nb\nend", 0))
    assert docs_outputs.complaints(again, happened) == []


def test_the_output_of_a_command_that_failed_is_not_written(page: Path) -> None:
    read = shown_commands.read(page)

    assert not docs_outputs.rewrite(
        read, outcomes(read, ("Traceback", 1), ("", 0), ("not reached", None))
    )
    assert page.read_text(encoding="utf-8") == PAGE


def test_a_page_that_was_edited_meanwhile_is_not_written(page: Path) -> None:
    read = shown_commands.read(page)
    page.write_text("\n" + PAGE, encoding="utf-8")

    with pytest.raises(ValueError, match="edited meanwhile"):
        docs_outputs.rewrite(read, outcomes(read, ("new", 0), ("", 0), ("new", 0)))


def test_a_script_keeps_the_shell_and_the_last_status(tmp_path: Path) -> None:
    path = tmp_path / "page.rst"
    path.write_text(
        ".. code-block:: text\n   :caption: words\n\n   it's $HOME\n\n"
        ".. code-block:: console\n\n   $ NAME=value; cat words\n   $ false\n   $ echo $? $NAME\n",
        encoding="utf-8",
    )
    read = shown_commands.read(path)

    process = subprocess.run(
        ["bash", "-c", docs_outputs._script(read)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    happened = list(docs_outputs._outcomes(read.executed, process.stdout))
    assert [outcome.output for outcome in happened] == [("it's $HOME",), (), ("1 value",)]
    assert [outcome.status for outcome in happened] == [0, 1, 0]
    assert docs_outputs.complaints(read, happened) == []
