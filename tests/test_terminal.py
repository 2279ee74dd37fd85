"""What is drawn on a terminal, with colours, and into a pipe, at any width."""

import contextlib
import io
import sys

import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from spectral.control_characters import PrintableStream
from spectral.terminal import Terminal, printed_above

EVIL, SHOWN = "\x1b[31mqso\x07", r"\x1b[31mqso\x07"


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def on_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", PrintableStream(screen))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return screen


def test_its_own_colours_reach_the_terminal_and_those_of_a_name_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_screen(monkeypatch)
    Terminal().print(Text(EVIL, style="bold"))
    assert "\x1b[1m" in screen.getvalue() and "\x1b[31m" not in screen.getvalue() and "\x07" not in screen.getvalue()
    assert r"\x1b[31mqso" in Text.from_ansi(screen.getvalue()).plain


def test_what_is_printed_appears_above_a_live_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_screen(monkeypatch)
    console = Terminal(width=60)
    with Live("drawn", console=console, auto_refresh=False, redirect_stdout=False) as live, printed_above(console):
        live.refresh()
        print(f"noted {EVIL}")
        assert screen.getvalue().rstrip().endswith("drawn")  # drawn again, below
        print("no end of line", end="")
    assert f"noted {SHOWN}\n" in screen.getvalue() and "no end of line" in screen.getvalue()
    print("after")
    assert screen.getvalue().endswith("after\n")


def test_a_table_in_a_pipe_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", PrintableStream(pipe))
    names = [f"a-long-name-of-a-class-{k}" for k in range(40)]
    table = Table(*names)
    table.add_row(*map(str, range(40)))
    Terminal().print(table)
    assert all(name in pipe.getvalue() for name in names) and "…" not in pipe.getvalue()


def test_in_a_notebook_it_prints_plain_lines_to_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stdout passes for a terminal, but moves no cursor; and what is redirected must not appear."""
    screen = on_screen(monkeypatch)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    Terminal().print(Text("macro-F1 0.9", style="bold"))
    with contextlib.redirect_stdout(io.StringIO()) as elsewhere:
        Terminal().print("epoch 1")
    assert (screen.getvalue(), elsewhere.getvalue()) == ("macro-F1 0.9\n", "epoch 1\n")


def test_a_line_that_is_said_is_plain_text_and_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_screen(monkeypatch)
    line = f"written to {'a folder/' * 30}[bold]:star: 17"
    Terminal(width=60).say(line)
    assert screen.getvalue() == f"{line}\n"
