"""How the commands of sweeps end where the file system refuses a path."""

import errno
import os
import signal

import pytest

from sweeps.cli import end_with


def os_error(number: int, *names: str) -> OSError:
    return OSError(number, os.strerror(number), names[0], None, *names[1:])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (os_error(errno.EACCES, "a.csv"), "a.csv cannot be read or written: Permission denied."),
        (os_error(errno.EISDIR, "a/study.journal"), "a/study.journal is a folder, not a file."),
        (os_error(errno.EISDIR, ".m.part", "m.json"), "m.json is a folder, not a file."),
        (os_error(errno.ENAMETOOLONG, f"runs/{'a' * 300}/b"), f"the name {'a' * 40}... has 300 characters, which is"),
    ],
)
def test_a_path_that_cannot_be_used_is_one_sentence(
    error: OSError, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest has its own

    def fail() -> int:
        raise error

    with pytest.raises(SystemExit) as ended:
        end_with(fail)
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: {said}") and printed.count("\n") == 1


def test_another_error_of_the_file_system_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def fail() -> int:
        raise os_error(errno.EIO, "a.csv")

    with pytest.raises(OSError, match=r"a\.csv"):
        end_with(fail)
