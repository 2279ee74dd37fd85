"""Ctrl-C while a command imports its parts, in real processes that send it to themselves."""

import signal
import subprocess
import sys

import pytest
from small_runs import REPOSITORY

START = """
import os, runpy, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == AT:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

AT, where, *sys.argv = sys.argv[1:]
sys.meta_path.insert(0, Interrupt())
if where.endswith(".py"):
    sys.argv.insert(0, where)
    runpy.run_path(where, run_name="__main__")
else:
    sys.argv.insert(0, "-m")
    runpy.run_module(where, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("at", "where"),
    [
        ("hydra", "run.py"),
        ("omegaconf.dictconfig", "run.py"),
        ("spectral.configs.root", "run.py"),
        ("hydra", "spectral.pack"),
        ("spectral.configs.commands", "spectral.predict"),
        ("spectral.cli.run", "spectral.evaluate"),
        ("sweeps.report.command", "sweeps.report"),
        ("sweeps.errors", "sweeps.compare"),
    ],
)
def test_an_interrupt_during_the_imports_ends_without_a_traceback(at: str, where: str) -> None:
    command = [sys.executable, "-c", START, at, where]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "stopped.\n")


def test_a_command_that_ignores_interrupts_continues_to_ignore_them() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # A signal that a process ignores is ignored by its children.
        command = [sys.executable, "-c", START, "hydra", "run.py", "--help"]
        ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.returncode == 0 and "experiment=debug" in ended.stdout
