"""The live table on a real terminal: a pseudo-terminal, whose screen pyte keeps as a terminal would show it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from search_runs import HERE, LOCAL, REPOSITORY
from waiting import PATIENCE_S

LINES, COLUMNS = 40, 150


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *command: str) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "TERM": "xterm"}
        environment = {name: value for name, value in environment.items() if name not in ("NO_COLOR", "COLUMNS")}
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def read(self) -> bool:
        """Read what was written; False once the command has closed the terminal."""
        if select.select([self._ours], [], [], 0.05)[0]:
            try:
                self._stream.feed(os.read(self._ours, 65536))
            except OSError:  # Linux reports the end in this way
                return False
        return True

    def await_that(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert self.read() and time.monotonic() < deadline, f"it never came to this:\n{self.text}"

    def finish(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self.read():
            assert time.monotonic() < deadline, self.text
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.mark.slow
def test_a_warning_is_printed_above_the_live_table_and_leaves_it_intact(tmp_path: Path) -> None:
    (tmp_path / "hold").touch()
    options = [f"hydra.launcher.{option}" for option in LOCAL]
    app = str(HERE / "apps" / "search_app.py")
    options += ["sweep.report=false", "sweep.num_trials=2"]
    terminal = Terminal(sys.executable, app, "-m", f"run_dir={tmp_path}", *options, "x=1,2")
    try:
        terminal.await_that(lambda: {"2 2.0000", "2 4.0000"} == epochs_shown(terminal.text))
        # The controller warns of a missing study.
        journal = tmp_path / "study.journal"
        journal.rename(tmp_path / "away")
        terminal.await_that(lambda: "does not answer" in terminal.text)
        (tmp_path / "away").rename(journal)
        # The clocks of the jobs continue: the table was drawn again.
        before = table_of(terminal.text)
        terminal.await_that(lambda: table_of(terminal.text) not in ("", before))
        assert terminal.text.count("slot ") == 1
        assert terminal.text.index("does not answer") < terminal.text.index("slot ")
        (tmp_path / "hold").unlink()
        assert terminal.finish() == 0, terminal.text
    finally:
        terminal.close()
    assert "slot " not in terminal.text and terminal.text.count("does not answer") == 1
    assert "2 complete" in terminal.text


def table_of(text: str) -> str:
    return text.partition("slot ")[2]


def epochs_shown(text: str) -> set[str]:
    """Epoch and value of each job in the table."""
    return {" ".join(line.split()[2:4]) for line in table_of(text).splitlines() if "cpu/" in line}
