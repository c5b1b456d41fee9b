"""Text of a cloud cannot control the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from refstack_client.printable import printable


def test_control_and_hidden_characters_are_shown_as_escapes():
    assert printable("a\x1b[2Jb\x9bc\u202ed\x07\r\n\te é 漢") == (
        "a\\x1b[2Jb\\x9bc\\u202ed\\x07\\r\n\te é 漢"
    )


@given(st.text())
def test_nothing_else_changes(text):
    shown = printable(text)
    assert all(character.isprintable() or character in "\t\n" for character in shown)
    assert printable(shown) == shown
    if text.isprintable():
        assert shown == text
