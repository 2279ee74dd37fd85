"""How the commands other than `run.py` end: one sentence for a mistake, and quietly if their output is not read."""

import errno
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from sweeps.own_spectral import require_own_spectral

EXIT_MISTAKE = 2
EXIT_INTERRUPTED = 130
NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)


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
        if error.errno in NOT_ALLOWED:
            code = mistake(f"{error.filename} cannot be read or written: {error.strerror}.")
        elif error.errno == errno.ENAMETOOLONG:
            name = max(Path(str(error.filename)).parts, key=len)
            code = mistake(f"the name {name[:40]}... has {len(name)} characters, which is too long for a file.")
        else:
            raise
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        code = EXIT_INTERRUPTED
    sys.exit(code)


def mistake(sentence: object) -> int:
    """Print what is wrong; returns the exit code."""
    print(f"error: {sentence}", file=sys.stderr)
    return EXIT_MISTAKE
