"""Names that hold commands to the terminal: what is printed and logged shows them as text."""

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from small_runs import REPOSITORY

from spectral.control_characters import PrintableFileHandler, PrintableStream, make_output_printable, printable

EVIL = "\x1b]0;owned\x07\x1b[2Jqso\x9b1m\r\x7f\u202e"
SHOWN = r"\x1b]0;owned\x07\x1b[2Jqso\x9b1m\r\x7f\u202e"


def test_control_characters_are_shown_as_escapes_and_other_text_is_left() -> None:
    assert printable(EVIL) == SHOWN
    assert printable("a\tb\nç 星 ± …") == "a\tb\nç 星 ± …"


def test_printed_and_logged_text_holds_no_control_character(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    log = logging.getLogger("test_control_characters")
    log.addHandler(logging.StreamHandler())  # made before, as by Hydra's own configuration of logs
    make_output_printable()
    make_output_printable()
    print(EVIL)
    log.warning("class %s", EVIL)
    log.handlers.clear()
    assert out.getvalue() == f"{SHOWN}\n" and err.getvalue() == f"class {SHOWN}\n"
    assert isinstance(sys.stdout, PrintableStream) and sys.stdout.target is out  # twice does not double the escapes


def test_a_log_file_holds_no_control_character(tmp_path: Path) -> None:
    handler = PrintableFileHandler(tmp_path / "run.log", delay=True)
    try:
        raise ValueError(EVIL)
    except ValueError:
        record = logging.LogRecord("name", logging.ERROR, "path", 1, "%s", (EVIL,), sys.exc_info())
    handler.emit(record)
    handler.close()
    assert (tmp_path / "run.log").read_text().count(SHOWN) == 2


def test_commands_show_a_hostile_name_as_text(tmp_path: Path) -> None:
    """Real processes: a table, a sentence, and a traceback."""
    commands = (
        f"from sweeps.cli import end_with, mistake; end_with(lambda: mistake({EVIL!r}))",
        f"from spectral.cli.run import run_command; run_command(lambda: print(open({EVIL!r})))",
        "from sweeps.cli import end_with; from sweeps.console.tables import Column, print_table;"
        f"end_with(lambda: print_table([Column('name', [{EVIL!r}])]) or 0)",
    )
    for command in commands:
        ended = subprocess.run(
            [sys.executable, "-c", command], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}, capture_output=True
        )
        output = (ended.stdout + ended.stderr).decode()
        assert "qso" in output and printable(output) == output, output
