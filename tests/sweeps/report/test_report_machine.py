"""The machine: how long slots were busy, what failed, how fast they trained."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from report_studies import START, Made, figure, make_report, names

from sweeps.report import machine
from sweeps.report.machine import failures, slots, usage


def on(slot: str | None, begins_s: float, takes_s: float, state: str = "COMPLETE", **attributes: Any) -> Made:
    values = [0.5] if state == "COMPLETE" else None
    return Made({}, values, state, attributes={"slot": slot, **attributes}, begins_s=begins_s, takes_s=takes_s)


def test_idle_shares_leave_out_a_pause_of_the_study(tmp_path: Path) -> None:
    trials = [
        on("a", 0, 40),
        on("b", 0, 10),
        on("b", 5, 10),  # two at once, as with several seeds: 15 s of 40
        on("a", 100_000, 60),  # the next day
        on("b", 100_020, 20, "PRUNED"),
        on("b", 100_050, 10, "FAIL"),
        on("a", 100_060, 50, reused_from=0),
        on("a", 100_100, 50, "RUNNING"),
    ]
    report = make_report(tmp_path / "study", trials)
    a, b = usage(slots(report))
    assert (a.slot, a.num_trials, a.busy_s, a.idle_share) == ("a", 2, 100, 0)
    assert (b.slot, b.num_trials, b.busy_s) == ("b", 4, 45)
    assert b.idle_share == pytest.approx(1 - 45 / 100)


def test_the_timeline_has_a_bar_a_trial(tmp_path: Path) -> None:
    report = make_report(tmp_path / "study", [on("gpu <1>", 0, 40), on(None, 5, 20), on("gpu <1>", 50, 1.5, "FAIL")])
    content = figure(machine.section(report), "machine-timeline")
    bars = [
        (name, slot, base, x)
        for trace in content["data"]
        for name, slot, base, x in zip(
            itertools.repeat(trace["name"]), trace["y"], trace["base"], trace["x"], strict=False
        )
    ]
    begin = START.isoformat(timespec="milliseconds")
    assert ("complete", "gpu &lt;1&gt;", begin, 40_000) in bars
    assert ("complete", "slot not known", begin.replace("00.000", "05.000"), 20_000) in bars
    assert ("failed", "gpu &lt;1&gt;", begin.replace("00.000", "50.000"), 1500) in bars


def test_failures_by_reason_and_retries(tmp_path: Path) -> None:
    trials = [
        on("a", 0, 1, "FAIL", reason="NaN"),
        on("a", 1, 1, "FAIL", reason="no memory", traceback="Traceback <b>"),
        on("a", 2, 1, "FAIL", reason="no memory"),
        on("a", 3, 1, attempts=3),
        on("a", 4, 1, attempts=1),
    ]
    trials.append(Made({}, [0.5], attributes={"attempts": 2}, runs=[{"result": {}}] * 2))  # two seeds, once each
    report = make_report(tmp_path / "study", trials)
    found = [(failure.reason, failure.numbers, failure.traceback) for failure in failures(report)]
    assert found == [("no memory", [1, 2], "Traceback <b>"), ("NaN", [0], "")]
    section = machine.section(report)
    assert section is not None
    assert "Traceback &lt;b&gt;" in section.html
    assert "1 trial had a job started more than once" in section.html and "trial 3 (3 starts)" in section.html


def test_training_speed_is_the_median_over_epochs(tmp_path: Path) -> None:
    metrics = [{"epoch": e, "time/train_spectra_per_s": rate} for e, rate in enumerate([10.0, 500.0, 510.0])]
    trials = [Made({}, [0.5], attributes={"slot": "a"}, runs=[{"metrics": metrics}]), on("b", 1, 1)]
    content = figure(machine.section(make_report(tmp_path / "study", trials)), "machine-throughput")
    assert [trace["y"] for trace in content["data"]] == [[500.0]]


def test_nothing_has_run(tmp_path: Path) -> None:
    section = machine.section(make_report(tmp_path / "study", [Made(state="WAITING"), Made(state="RUNNING")]))
    assert section is not None
    assert names(section) == [] and "No trial has run to its end yet" in section.html
    assert "No trial failed" in section.html
