"""Whatever a file holds, the readers of survey files end in a spectrum or in an error of their own."""

import gzip
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from fuzzed_files import read_all, sound_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FILES = sound_files()
CARD, HEADER = 80, 5760  # bytes in which most of a header lies
MOST_MEMORY = 64 * 2**20  # these files are of some 30 kB
KEYWORDS = (
    "NAXIS",
    "NAXIS1",
    "NAXIS2",
    "BITPIX",
    "PCOUNT",
    "GCOUNT",
    "TFIELDS",
    "TFORM1",
    "TFORM2",
    "TDIM1",
    "XTENSION",
)
VALUES = (
    0,
    -1,
    1,
    3,
    8,
    16,
    -32,
    2**31,
    10**9,
    10**18,
    "1J",
    "9999999999E",
    "PE(1)",
    "QD",
    "A",
    "0X",
    "'",
    "T",
    1e400,
    "",
)


def damaged(content: bytes, changes: list[tuple[str, int, int, bytes]], cards: list[tuple[str, object]]) -> bytes:
    """A content with bytes replaced, taken out or put in, and cards of its headers changed."""
    result = bytearray(content)
    for keyword, value in cards:
        at = result.find(f"{keyword:8}=".encode())
        if at >= 0:
            text = f"'{value:8}'" if isinstance(value, str) else f"{value!r:>20}"
            result[at : at + CARD] = f"{keyword:8}= {text}".ljust(CARD)[:CARD].encode()
    for kind, where, length, new in changes:
        at = where % (len(result) + 1)
        result[at : at + (length if kind != "insert" else 0)] = b"" if kind == "remove" else new
    return bytes(result)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["replace", "remove", "insert"]),
        st.one_of(st.integers(0, HEADER), st.integers(0, 10**6)),
        st.integers(0, 3000),
        st.binary(max_size=100),
    ),
    max_size=4,
)
CARDS = st.lists(st.tuples(st.sampled_from(KEYWORDS), st.sampled_from(VALUES)), max_size=4)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, cards=CARDS)
def test_damaged_files(name: str, tmp_path: Path, changes: list, cards: list) -> None:
    layout, content = FILES[name]
    path = tmp_path / name
    if name.endswith(".gz") and cards:
        content = gzip.compress(damaged(gzip.decompress(content), [], cards), 1)
    path.write_bytes(damaged(content, changes, [] if name.endswith(".gz") else cards))
    tracemalloc.start()
    try:
        read_all(layout, path)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@given(content=st.binary(max_size=6000), begins=st.sampled_from([b"", b"SIMPLE  =                    T", b"\x1f\x8b"]))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_files_of_any_bytes(tmp_path: Path, content: bytes, begins: bytes) -> None:
    path = tmp_path / "spec.fits"
    path.write_bytes(begins + content)
    for layout in {id(layout): layout for layout, _ in FILES.values()}.values():
        read_all(layout, path)


@pytest.mark.slow
def test_ten_minutes_of_a_fuzzer_that_follows_the_code(tmp_path: Path) -> None:
    """atheris, if it is installed: pip install atheris. SPECTRAL_FUZZ_S sets another time."""
    pytest.importorskip("atheris")
    seconds = os.environ.get("SPECTRAL_FUZZ_S", "600")
    for name, (_, content) in FILES.items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, str(Path(__file__).parents[3] / "helpers" / "fuzz_readers.py"), str(tmp_path)]
    options = [f"-max_total_time={seconds}", "-max_len=60000", "-rss_limit_mb=2048", "-timeout=20"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
