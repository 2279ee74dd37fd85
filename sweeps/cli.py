"""How the commands other than `run.py` end: a mistake in one sentence, and quietly if nobody reads their output."""

import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from sweeps.own_spectral import require_own_spectral

EXIT_MISTAKE = 2
EXIT_INTERRUPTED = 130


def end_with(main: Callable[[], int]) -> NoReturn:
    """Call a command and end the process with its exit code."""
    require_own_spectral()
    if hasattr(signal, "SIGPIPE"):
        # What reads our output may stop reading, as head does: end as other commands then end.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        code = main()
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        code = EXIT_INTERRUPTED
    sys.exit(code)


def mistake(sentence: object) -> int:
    """Say what is wrong; returns the exit code."""
    print(f"error: {sentence}", file=sys.stderr)
    return EXIT_MISTAKE
