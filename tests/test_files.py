import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from spectral.errors import UserError
from spectral.files import part_name, remove_left_parts, write_json, write_parquet, writing


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "result.json"
    write_json(path, {"name": "é", "values": [1, 2.5, None]})
    write_json(path, {"name": "second"})
    assert json.loads(path.read_text("utf-8")) == {"name": "second"}
    assert [p.name for p in path.parent.iterdir()] == ["result.json"]


def test_an_error_while_writing_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), writing(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["weights.bin"]


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.json").mkdir()
    with pytest.raises(UserError, match=r"model\.json could not be written: it is a folder; move it away"):
        write_json(tmp_path / "model.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_json(tmp_path / "x.json", {"f1": float("nan")})


def test_parquet_keeps_columns_and_missing_values(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "label": pd.array(["star", None], dtype="str"), "snr": [1.5, None]})
    write_parquet(tmp_path / "catalog.parquet", frame)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "catalog.parquet"), frame)


def test_concurrent_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "shared.json"
    threads = [threading.Thread(target=write_json, args=(path, [k] * 20_000)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content = json.loads(path.read_text())
    assert len(content) == 20_000 and len(set(content)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["shared.json"]


@pytest.mark.parametrize(
    ("machine", "pid", "age_s", "is_left"),
    [
        ("this", "gone", 0, True),
        ("this", "alive", 7200, False),
        ("this", "no number of a process", 0, True),
        ("another", "alive", 0, False),  # a process with the same number
        ("another", "gone", 3500, False),
        ("another", "gone", 3700, True),
        ("unknown", "gone", 3500, False),  # version 0.1 named no machine
        ("unknown", "gone", 3700, True),
        ("unknown", "alive", 3700, False),
    ],
)
def test_only_part_files_of_processes_that_have_ended_are_removed(
    machine: str, pid: str, age_s: float, is_left: bool, tmp_path: Path
) -> None:
    *_, mark, alive, thread, part = part_name(tmp_path / "a.b").split(".")
    marks = {"this": f".{mark}", "another": ".0123abcd", "unknown": ""}
    pids = {"alive": alive, "gone": f"{2**22 + 1}", "no number of a process": "9" * 30}
    path = tmp_path / f".a.b{marks[machine]}.{pids[pid]}.{thread}.{part}"
    path.touch()
    os.utime(path, (time.time() - age_s,) * 2)
    remove_left_parts(tmp_path)
    assert path.exists() != is_left


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
@pytest.mark.parametrize("num_bytes", [5_000, 500_000], ids=["inside the buffer", "beyond it"])
def test_a_full_disk_ends_in_one_sentence_and_leaves_no_temporary_file(tmp_path: Path, num_bytes: int) -> None:
    code = (
        "import resource, sys; from spectral.files import write_bytes; from spectral.errors import UserError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))\n"
        "try: write_bytes(sys.argv[1], bytes(int(sys.argv[2])))\n"
        "except UserError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path / "big.bin"), str(num_bytes)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "big.bin could not be written: the limit on file size is reached" in result.stdout
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == []
