"""Tables on a terminal."""

import sys

import pytest
from rich.text import Text

from sweeps.console import tables


def test_a_name_with_markup_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    tables.print_table([tables.Column("name", ["[red]a[/red]"])])
    assert "[red]a[/red]" in Text.from_ansi(capsys.readouterr().out).plain
