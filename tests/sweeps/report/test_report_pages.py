"""Whole pages: of studies with little data or hostile text, without torch, and at the end of a sweep."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_studies import CLASSES, Made, make_report, make_run, predictions

from sweeps.report import command
from sweeps.report.model import Report
from sweeps.report.options import Options
from sweeps.report.page import build_page
from sweeps.report.read_study import read_report
from sweeps.report.sections import best_run, spectra

HOSTILE = '<script>alert("x")</script> %{x} <b>'


class Page(HTMLParser):
    """Collect ids of elements, places of figures, and the content of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.places: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(page)
        self.figures: dict[str, Any] = json.loads(self.scripts[0])

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")
        self.ids += [str(found["id"])] if "id" in found else []
        self.places += [str(found["data-figure"])] if "data-figure" in found else []

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)


def check(report: Report) -> Page:
    """Check that each figure has one place on the page, and that no text in the data is markup."""
    html = build_page(report)
    page = Page(html)
    assert sorted(page.places) == sorted(page.figures)
    assert len(page.ids) == len(set(page.ids))
    assert "<script>alert" not in html and 'alert("x")</script>' not in html
    for text in texts(page.figures):
        assert "<script>" not in text and "<b>" not in text
    return page


def finished(f1: float, **more: Any) -> dict[str, Any]:
    return {"result": {"val/macro_f1": f1}, "predictions": predictions(), **more}


def one_class(f1: float) -> dict[str, Any]:
    return finished(f1, predictions=predictions(50).assign(label="star"))


POOR: dict[str, Callable[[], list[Made]]] = {
    "no trial": lambda: [],
    "waiting": lambda: [Made(state="WAITING")],
    "running": lambda: [Made({"x": 1}, state="RUNNING", steps={1: 0.5})],
    "failures only": lambda: [Made({"x": n}, state="FAIL") for n in range(3)],
    "pruned only": lambda: [Made({"x": n}, state="PRUNED", steps={1: 0.1, 2: 0.2}) for n in range(3)],
    "one trial": lambda: [Made({"x": 1}, [0.5], runs=[finished(0.5)])],
    "no run folders": lambda: [Made({"x": n}, [n / 10]) for n in range(4)],
    "unfinished run folders": lambda: [Made({"x": n}, [n / 10], runs=[{}]) for n in range(4)],
    "infinite scores": lambda: [Made({"x": n}, [float("inf")], steps={1: float("nan")}) for n in range(3)],
    "not finite in the runs": lambda: [
        Made({"x": n}, [n / 10], runs=[finished(float("nan"), metrics=[{"epoch": 1, "lr": float("inf")}])])
        for n in range(3)
    ],
    "one class": lambda: [Made({"x": n}, [n / 10], runs=[one_class(n / 10)]) for n in range(3)],
    "two classes": lambda: [
        Made(
            {"x": n}, [n / 10], runs=[finished(n / 10, classes=("a", "b"), predictions=predictions(classes=("a", "b")))]
        )
        for n in range(3)
    ],
    "seeds": lambda: [
        Made({"x": n}, [n / 10], attributes={"spread": [0.1]}, runs=[finished(n / 10), finished(0.2)]) for n in range(3)
    ],
    "outside the constraints": lambda: [Made({"x": 1}, [0.4], attributes={"reused_from": 0})],
    "mixed values of an axis": lambda: [
        Made({"x": x}, [n / 10]) for n, x in enumerate([1, "a", None, [1], {"b": 2}, True])
    ],
}


@pytest.mark.parametrize("name", POOR)
def test_a_study_with_little_data_has_a_page(name: str, tmp_path: Path) -> None:
    check(make_report(tmp_path / "study", POOR[name](), {"x": {"low": 0, "high": 9}}))


def test_two_objectives_have_a_page(tmp_path: Path) -> None:
    trials = [Made({"x": n}, [n / 10, n % 3], runs=[finished(n / 10)]) for n in range(12)]
    page = check(make_report(tmp_path / "study", trials, None, ["val/macro_f1", "n"], ["maximize", "minimize"]))
    assert "search-pareto" in page.figures


def test_run_folders_without_a_study_have_a_page(tmp_path: Path) -> None:
    for name in ("a", HOSTILE.replace("/", "")):
        make_run(tmp_path / "runs" / name, {"val/macro_f1": 0.5, "test/macro_f1": 0.4}, predictions=predictions())
    page = check(read_report(str(tmp_path / "runs")))
    assert "best-confusion-rows" in page.figures and "search-history" not in page.figures


def test_a_run_is_found_by_the_name_that_ls_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("outputs/runs/alone", "outputs/sweeps/mine/3/seed-1"):
        make_run(Path(place), {"val/macro_f1": 0.5})
        (Path(place) / "config.yaml").write_text("seed: 1\n")
    assert read_report("alone").folder == Path("outputs/runs/alone")
    assert read_report("mine/3/seed-1").folder == Path("outputs/sweeps/mine/3/seed-1")


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    classes = (HOSTILE, *CLASSES[1:])
    scores = {f"val/f1/{HOSTILE}": 0.5, "val/macro_f1": 0.5}
    metrics = [{"epoch": 1, "stage": "a", "lr": 1.0}, {"epoch": 2, "stage": HOSTILE, "lr": 1.0}]
    made = finished(0.5, classes=classes, predictions=predictions(classes=classes), result=scores, metrics=metrics)
    attributes = {"reason": HOSTILE, "traceback": HOSTILE}
    shares = [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]
    trials = [
        Made(
            {HOSTILE: HOSTILE + str(n % 2), "shares": shares[n % 2]},
            [n / 10],
            runs=[made],
            attributes=attributes,
            slot=HOSTILE,
        )
        for n in range(12)
    ]
    trials.append(Made({HOSTILE: 1}, state="FAIL", attributes=attributes))
    report = make_report(tmp_path / HOSTILE.replace("/", ""), trials, objectives=[HOSTILE])
    page = check(report)
    assert {"search-slice-0", "search-parallel", "best-precision-recall", "machine-timeline"} <= set(page.figures)


@pytest.mark.slow
def test_the_command_writes_a_page_without_torch(tmp_path: Path) -> None:
    make_report(tmp_path / "study", [Made({"x": n}, [n / 10], runs=[finished(n / 10)]) for n in range(12)])
    code = (
        "import sys; from sweeps.report.command import main; assert main([sys.argv[1]]) == 0; "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "study"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'study' / 'report.html'}\n"
    assert "http" not in re.sub(r"<script>.*?</script>", "", (tmp_path / "study/report.html").read_text(), flags=re.S)


def test_a_folder_without_runs_has_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: there is nothing to report on")


@pytest.mark.parametrize(
    ("out", "reason"), [("none/a.html", "No such file or directory"), ("folder", "Is a directory")]
)
def test_a_page_that_cannot_be_written_is_reported(
    out: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_report(tmp_path / "study", [Made({"x": 1}, [0.5])])
    (tmp_path / "folder").mkdir()
    assert command.main([str(tmp_path / "study"), "--out", str(tmp_path / out)]) == 2
    assert capsys.readouterr().err == f"error: --out {tmp_path / out} cannot be written: {reason}.\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "study"]


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    make_report(tmp_path / "study", [Made({"x": 1}, [0.5])])
    reading, writing = os.pipe()
    os.close(reading)
    given = [sys.executable, "-m", "sweeps.report", str(tmp_path / "study")]
    done = subprocess.run(given, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")


BROKEN = {
    "result.json": b'{"val/macro',
    "metrics.jsonl": b"{\n{\n",
    "predictions.parquet": b"PAR1",
    "config.yaml": b"a: {",
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_unreadable_run_is_left_out_and_reported(name: str, tmp_path: Path) -> None:
    for number, run in enumerate((finished(0.5), finished(0.7), finished(0.6))):
        make_run(tmp_path / "runs" / str(number), **run)
    broken = tmp_path / "runs" / "1" / name
    broken.write_bytes(BROKEN[name])
    report = read_report(str(tmp_path / "runs"))
    assert [trial.title for trial in report.trials] == ["0", "2"] and report.best and report.best.title == "2"
    assert len(report.left_out) == 1 and report.left_out[0].startswith(f"{broken} cannot be read: ")
    assert "1 run is left out" in build_page(report)


@pytest.mark.parametrize("name", BROKEN)
def test_a_trial_with_an_unreadable_run_is_still_shown(name: str, tmp_path: Path) -> None:
    make_report(
        tmp_path / "study", [Made({"x": n} if n else {}, [(n + 1) % 3], runs=[finished(0.5)]) for n in range(3)]
    )
    broken = [tmp_path / "study" / number / name for number in ("0", "1")]  # the best one is trial 1
    for path in broken:
        path.write_bytes(BROKEN[name])
    report = read_report(str(tmp_path / "study"))
    named = {"predictions.parquet": broken[1:], "config.yaml": broken[:1]}.get(name, broken)
    assert [reason.split(" cannot be read")[0] for reason in report.left_out] == [str(path) for path in named]
    assert report.best and report.best.number == 1 and len(report.best.runs) == (name == "config.yaml")
    check(report)


@pytest.mark.parametrize("fault", ["gone", "broken"])
def test_a_missing_best_run_is_reported_in_place_of_its_sections(fault: str, tmp_path: Path) -> None:
    make_report(tmp_path / "study", [Made({"x": n}, [n / 10], runs=[finished(0.5)]) for n in range(2)])
    best = tmp_path / "study" / "1"
    if fault == "gone":
        shutil.rmtree(best)
    else:
        (best / "result.json").write_text("[1]")
    report = read_report(str(tmp_path / "study"))
    assert {"best-run", "spectra"} <= set(check(report).ids)
    why = "is not there any more" if fault == "gone" else "cannot be read: the summary says why"
    for section in (best_run.section(report), spectra.section(report)):
        assert section is not None and f"<code>{best}</code>, which {why}." in section.html
    assert spectra.section(replace(report, options=Options(max_spectra=0))) is None


def test_a_folder_of_unreadable_runs_has_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "runs" / "a", {})
    (tmp_path / "runs" / "a" / "result.json").write_text("[1]")
    assert command.main([str(tmp_path / "runs")]) == 2
    assert "a/result.json cannot be read: " in capsys.readouterr().err


def test_a_broken_sweep_json_hides_nothing(tmp_path: Path) -> None:
    make_report(tmp_path / "study", [Made({"x": 1}, [0.5])])
    (tmp_path / "study" / "sweep.json").write_text("{")
    assert read_report(str(tmp_path / "study")).best is not None
