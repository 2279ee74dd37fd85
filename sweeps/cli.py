"""How the commands other than `run.py` end: one sentence for a mistake, and quietly if their output is not read."""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from sweeps.own_spectral import EXIT_MISTAKE, require_own_spectral

EXIT_INTERRUPTED = 130


def end_with(main: Callable[[], int]) -> NoReturn:
    """Call a command and end the process with its exit code."""
    require_own_spectral()
    from spectral.control_characters import make_output_printable

    make_output_printable()
    if hasattr(signal, "SIGPIPE"):
        # A program that reads our output may stop reading, as head does: then end quietly, as other commands do.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        code = main()
    except OSError as error:
        from sweeps.errors import os_error_sentence  # not above: Ctrl-C during an import there would show its traceback

        sentence = os_error_sentence(error)
        if sentence is None:
            raise
        code = mistake(sentence)
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        code = EXIT_INTERRUPTED
    sys.exit(code)


def mistake(sentence: object) -> int:
    """Print what is wrong; returns the exit code."""
    print(f"error: {sentence}", file=sys.stderr)
    return EXIT_MISTAKE
