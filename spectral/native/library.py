"""block.cpp as a library: built once by the machine's own C++ compiler, kept in the user's cache, loaded by ctypes.

ctypes and not an extension of torch: the code then needs the headers of neither torch nor Python, builds in seconds,
and needs no further package. A build belongs to its source, flags, compiler and processor; they are in its name.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("block.cpp")
SWITCH, FLAGS = "SPECTRAL_NO_NATIVE", "SPECTRAL_NATIVE_FLAGS"
ALWAYS = ["-O3", "-std=c++17", "-fPIC", "-shared", "-fopenmp"]
COMPILERS = ("c++", "g++", "clang++")
BUILD_TIMEOUT_S = 300
KEPT_S = 24 * 3600  # how long a library that cannot be loaded is not built again
CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Library:
    """The code, loaded, and the file it stands in; or `problem` alone, a clause that says why there is none."""

    code: ctypes.CDLL | None = None
    path: Path | None = None
    problem: str = ""

    @functools.cached_property
    def has_bfloat16(self) -> bool:
        """Whether it also multiplies bfloat16 numbers: the processor, the compiler and the system must know them."""
        return self.code is not None and bool(self.code.has_bfloat16())


@functools.cache
def library() -> Library:
    """The library of this process, built first if this machine has none yet.

    Safe for many processes at once: one builds, the others wait. If a compiler is there and cannot build it, one
    warning is logged.
    """
    if os.environ.get(SWITCH, "") not in ("", "0"):
        return _missing(f"{SWITCH} is set")
    compiler = _compiler()
    if compiler is None:
        return _missing("there is no C++ compiler on the path")
    try:
        path = _folder() / f"block-{_key(compiler)}.so"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=BUILD_TIMEOUT_S):
            code, why_not = _load_or_build(compiler, path)
        problem = f"the library cannot be loaded from {path} ({why_not}), so set XDG_CACHE_HOME to another folder"
        return Library(code, path) if code else _warned(problem)
    except (OSError, RuntimeError, subprocess.SubprocessError, Timeout) as error:
        return _warned(f"{' '.join(compiler)} could not build it ({_first_line(error)})")


def _warned(problem: str) -> Library:
    log.warning("Training takes longer than it could: %s. Set %s=1 to leave it out.", problem, SWITCH)
    return Library(problem=problem)


def _missing(problem: str) -> Library:
    log.debug("The blocks run in PyTorch: %s.", problem)
    return Library(problem=problem)


def _compiler() -> list[str] | None:
    """The command of the compiler: that of CXX, or the first that is there."""
    given = shlex.split(os.environ.get("CXX", ""))
    candidates = [given] if given else [[name] for name in COMPILERS]
    return next((words for words in candidates if shutil.which(words[0])), None)


def _flags() -> list[str]:
    """Those that say for which processor; by default the one that this is."""
    given = os.environ.get(FLAGS)
    native = "-march=native" if platform.machine() in ("x86_64", "AMD64") else "-mcpu=native"
    return [native] if given is None else shlex.split(given)


def _folder() -> Path:
    """Raises RuntimeError if the user has no home folder."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "spectral"


def _key(compiler: list[str]) -> str:
    found = Path(shutil.which(compiler[0]) or compiler[0]).resolve()
    sources = [path.read_text("utf-8") for path in [SOURCE, *sorted(SOURCE.parent.glob("*.h"))]]
    about = [*sources, *ALWAYS, *_flags(), *compiler, str(found), str(found.stat().st_mtime_ns)]
    return hashlib.sha256("\n".join([*about, sys.platform, platform.machine(), _processor()]).encode()).hexdigest()[:16]


def _processor() -> str:
    """What the first processor says it can do, one line for each of its properties that matters here."""
    try:
        lines = CPU_INFO.read_text("utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(line for line in lines if line.startswith(("vendor", "cpu family", "model", "flags", "Features")))


def _load_or_build(compiler: list[str], path: Path) -> tuple[ctypes.CDLL | None, str]:
    """The library, or why it cannot be loaded though it was built, as from a file system that runs no programs.

    The reason is kept for a day next to the library, so that not every process builds it in vain.
    """
    kept = path.with_suffix(".failed")
    code, why_not = _load(path)
    if code is None and not (path.exists() and _is_recent(kept)):
        _build(compiler, path)
        code, why_not = _load(path)
        if code is None:
            kept.write_text(why_not, "utf-8")
    return code, why_not


def _is_recent(kept: Path) -> bool:
    return kept.exists() and time.time() - kept.stat().st_mtime < KEPT_S


def _load(path: Path) -> tuple[ctypes.CDLL | None, str]:
    """The library in a file; or None and why there is none, such as damage by a power failure."""
    try:
        return ctypes.CDLL(str(path)), ""
    except OSError as error:
        return None, _first_line(error).removeprefix(f"{path}: ")


def _build(compiler: list[str], path: Path) -> None:
    """Compile, and put the finished file in its place at once."""
    log.info("Building the fast blocks for this processor, once: %s", path)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        command = [*compiler, *ALWAYS, *_flags(), str(SOURCE), "-o", str(part)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return next(iter(str(said).strip().splitlines()), type(error).__name__)
