"""What a training says when Ctrl-C ends it."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from spectral.configs.pasted_overrides import pasted_text
from spectral.runs.folder import RunFolder


@contextmanager
def says_how_to_resume(console: Console, folder: RunFolder) -> Iterator[None]:
    """Print on Ctrl-C in the block with which argument the same command resumes."""
    try:
        yield
    except KeyboardInterrupt:
        argument = pasted_text("run_dir", str(folder.path))
        console.print(f"To resume, give the same command with {escape(argument)}", soft_wrap=True)
        raise
