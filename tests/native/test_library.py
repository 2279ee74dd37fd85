"""The library of the machine: when it is built, how often, and what happens where it cannot be."""

import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import spectral.native.library
from spectral.native import quicker
from spectral.native.library import library
from spectral.native.quicker import BFLOAT16, FLOAT32, TORCH, Way

NEEDS_COMPILER = pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a compiler")
SOURCE = 'extern "C" int answer() { return 42; }'
PROGRAM = """
import sys
from pathlib import Path
import spectral.native.library as module
module.SOURCE = Path(sys.argv[1])
print(module.library().code.answer())
"""


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of the test's own, in a path with a space, and a source that compiles in a moment."""
    source = tmp_path / "source.cpp"
    source.write_text(SOURCE)
    monkeypatch.setattr(spectral.native.library, "SOURCE", source)
    monkeypatch.setattr(spectral.native.library, "library", library.__wrapped__)
    for name in ("SPECTRAL_NO_NATIVE", "SPECTRAL_NATIVE_FLAGS", "CXX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my cache"))
    return tmp_path / "my cache" / "spectral"


def compiler_that_counts(folder: Path) -> Path:
    """A compiler that takes its time and writes down each call."""
    path = folder / "my compiler"
    real = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))))
    path.write_text(f'#!/bin/sh\necho called >> "{folder}/calls"\nsleep 0.3\nexec {real} "$@"\n')
    path.chmod(0o755)
    return path


@NEEDS_COMPILER
def test_it_is_built_once_and_found_again(own_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CXX", f"'{compiler_that_counts(tmp_path)}'")
    for _ in range(2):
        found = spectral.native.library.library()
        assert found.code is not None and found.code.answer() == 42
    assert (tmp_path / "calls").read_text() == "called\n"
    assert [path.suffix for path in sorted(own_cache.iterdir())] == [".lock", ".so"]


@NEEDS_COMPILER
def test_processes_that_start_at_once_build_it_once(tmp_path: Path) -> None:
    environment = os.environ | {"CXX": f"'{compiler_that_counts(tmp_path)}'"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "source.cpp")]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == ["42\n"] * 3
    assert (tmp_path / "calls").read_text() == "called\n"


@NEEDS_COMPILER
def test_other_flags_and_sources_are_other_libraries(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spectral.native.library.library()
    monkeypatch.setenv("SPECTRAL_NATIVE_FLAGS", "-DOTHER")
    spectral.native.library.library()
    spectral.native.library.SOURCE.write_text(SOURCE.replace("42", "43"))
    found = spectral.native.library.library()
    assert found.code is not None and found.code.answer() == 43
    assert len(list(own_cache.glob("*.so"))) == 3


@NEEDS_COMPILER
def test_a_damaged_library_is_built_again(own_cache: Path) -> None:
    path = spectral.native.library.library().path
    assert path is not None
    path.unlink()  # not written over: this process has it loaded
    path.write_bytes(b"cut short")
    code = spectral.native.library.library().code
    assert code is not None and code.answer() == 42


def test_it_can_be_left_out(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECTRAL_NO_NATIVE", "1")
    found = spectral.native.library.library()
    assert (found.code, found.problem) == (None, "SPECTRAL_NO_NATIVE is set")
    assert not own_cache.exists()


def test_without_a_compiler_nothing_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PATH", "")
    with caplog.at_level(logging.INFO):
        found = spectral.native.library.library()
    assert (found.code, found.problem) == (None, "there is no C++ compiler on the path")
    assert caplog.messages == []


@NEEDS_COMPILER
def test_a_build_that_fails_is_one_warning(own_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    spectral.native.library.SOURCE.write_text("no C++")
    found = spectral.native.library.library()
    assert found.code is None and "could not build it" in found.problem
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert [path.suffix for path in own_cache.iterdir()] == [".lock"]


def test_a_library_that_cannot_be_loaded_is_built_again_after_a_day(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a cache that is mounted without leave to run programs: here what the compiler makes is no library."""
    compiler, calls = tmp_path / "compiler", tmp_path / "calls"
    compiler.write_text(f'#!/bin/sh\necho called >> "{calls}"\nfor last; do :; done\necho nothing > "$last"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    for _ in range(2):
        caplog.clear()
        found = spectral.native.library.library()
        warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert found.code is None and len(warned) == 1
        assert f"cannot be loaded from {own_cache}" in found.problem and "XDG_CACHE_HOME" in found.problem
    assert calls.read_text() == "called\n"
    (kept,) = own_cache.glob("*.failed")
    two_days_ago = kept.stat().st_mtime - 2 * 24 * 3600
    os.utime(kept, (two_days_ago, two_days_ago))
    spectral.native.library.library()
    assert calls.read_text() == "called\n" * 2


def test_a_cache_that_cannot_be_written_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("CXX", shlex.quote(sys.executable))  # a program that is there; it is not asked to compile
    assert spectral.native.library.library().code is None
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


@NEEDS_COMPILER
@pytest.mark.parametrize(("native_s", "found"), [(0.5, FLOAT32), (0.95, TORCH), (2.0, TORCH)])
def test_what_was_measured_first_is_remembered(
    native_s: float, found: Way, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {"native float32": native_s, "native bfloat16": 3.0, "torch bfloat16": 1.0}
    monkeypatch.setattr(quicker, "library", spectral.native.library.library)
    monkeypatch.setattr(quicker, "_measured", lambda: first)
    assert quicker.quickest([TORCH, FLOAT32, BFLOAT16]) == found
    monkeypatch.setattr(quicker, "_measured", lambda: {"native float32": 1.0, "torch bfloat16": native_s})
    assert quicker.quickest([TORCH, FLOAT32, BFLOAT16]) == found
    assert quicker.quickest([BFLOAT16, FLOAT32]) == FLOAT32
    (path,) = own_cache.glob("*.json")
    assert json.loads(path.read_text()) == first
    path.write_text("cut sh")
    assert quicker.quickest([TORCH, FLOAT32]) == TORCH


@pytest.mark.slow
@pytest.mark.skipif(library().code is None, reason="needs a C++ compiler")
def test_all_ways_of_a_block_are_measured() -> None:
    with torch.inference_mode():  # a run that is applied may be the first to ask
        measured = quicker._measured()
    ways = [TORCH, FLOAT32, *([BFLOAT16] if library().has_bfloat16 else [])]
    assert list(measured) == [" ".join(way) for way in ways] and min(measured.values()) > 0
