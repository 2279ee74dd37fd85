"""The machine section: how long slots were busy, what failed, how fast they trained."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from report_studies import START, Made, figure, job, make_report, names, trace

from sweeps.report.figures.job_spans import slots
from sweeps.report.model import Report
from sweeps.report.sections import machine
from sweeps.report.sections.machine import failures, lost_jobs, usage


def on(slot: str | None, begins_s: float, takes_s: float, state: str = "COMPLETE", **attributes: Any) -> Made:
    values = [0.5] if state == "COMPLETE" else None
    return Made({}, values, state, attributes=attributes, begins_s=begins_s, takes_s=takes_s, slot=slot)


def used(report: Report) -> dict[str, tuple[int, float, float]]:
    """Slot -> its jobs, how long it was busy, and its idle share."""
    return {row.slot: (row.num_jobs, row.busy_s, row.idle_share) for row in usage(report, slots(report))}


def test_idle_time_leaves_out_pauses_of_the_study(tmp_path: Path) -> None:
    trials = [
        on("a", 0, 40),
        on("b", 0, 10),
        on("b", 5, 10),  # two at once, as with several seeds: 15 s of 40
        on("a", 100_000, 60),  # the next day
        on("b", 100_020, 20, "PRUNED"),
        on("b", 100_050, 10, "FAIL"),
        on("a", 100_060, 50, reused_from=0),
    ]
    expected = {"a": (2, 100, 0), "b": (4, 45, pytest.approx(1 - 45 / 100))}
    assert used(make_report(tmp_path / "study", trials)) == expected


def test_jobs_of_one_trial_are_drawn_in_their_own_slots(tmp_path: Path) -> None:
    jobs = [job(0, 10, "lost", "a"), job(10, 30, "done", "b"), job(500, 40, "done", "a", seed=1)]
    report = make_report(tmp_path / "study", [Made({}, [0.5], takes_s=540, jobs=jobs)])
    assert used(report) == {"a": (2, 50, pytest.approx(3 / 8)), "b": (1, 30, pytest.approx(5 / 8))}
    assert report.trials[0].seconds == 80


def controller(machine: str, beat_s: float = 0.0) -> dict[str, Any]:
    return {"machine": f"{machine} boot-id", "beat": START.timestamp() + beat_s}


def test_a_running_job_is_drawn_until_the_last_heartbeat_of_its_controller(tmp_path: Path) -> None:
    trials = [on("a", 0, 10), on("b", 5, 1, "RUNNING")]
    report = make_report(tmp_path / "study", trials, noted={"controller:me": controller("host", 45)})
    assert used(report) == {"a": (1, 10, pytest.approx(35 / 45)), "b": (1, 40, pytest.approx(5 / 45))}
    content = figure(machine.section(report), "machine-timeline")
    running = trace(content, "running, when last heard of")
    assert content["layout"]["yaxis"]["ticktext"] == ["a", "b"]
    assert (running["y"], running["x"]) == ([1], [40_000])


def test_slots_that_never_had_a_job_are_idle(tmp_path: Path) -> None:
    # A later command with fewer slots on the same machine removes none.
    noted = {"slots:me": 4, "slots:again": 2, "controller:me": controller("one"), "controller:again": controller("one")}
    report = make_report(tmp_path / "study", [on("a", 0, 10), on("b", 5, 5)], noted=noted)
    assert used(report)["2 slots without any job"] == (0, 0, 1)
    unknown = make_report(tmp_path / "other", [on(None, 0, 10)], noted=noted)
    assert list(used(unknown)) == ["slot not known"]


def test_slots_of_several_machines_are_distinguished(tmp_path: Path) -> None:
    jobs = [job(0, 10, "lost", "cpu"), job(10, 30, "done", "cpu")]
    jobs[1].controller = "other"
    noted = {"controller:me": controller("one"), "controller:other": controller("two"), "slots:other": 2}
    report = make_report(tmp_path / "study", [Made({}, [0.5], jobs=jobs)], noted=noted)
    assert list(used(report)) == ["one: cpu", "two: cpu", "1 slot without any job"]


def test_jobs_of_slurm_share_their_slot(tmp_path: Path) -> None:
    """Each has a number of its own; the node of a Ray actor stays with its slot."""
    metrics = [{"epoch": 1, "time/train_spectra_per_s": 10.0}]
    places = ("slurm/0 on job 1234", "slurm/1 on job 1235", "slurm/0 on job 1236", "ray/0 on node-7 cuda:0")
    trials = [
        Made({}, [0.5], begins_s=10 * k, slot=place, runs=[{"metrics": metrics}]) for k, place in enumerate(places)
    ]
    report = make_report(tmp_path / "study", trials, noted={"slots:me": 4})
    jobs = {slot: num for slot, (num, _, _) in used(report).items()}
    assert jobs == {"ray/0 on node-7 cuda:0": 1, "slurm/0": 2, "slurm/1": 1, "1 slot without any job": 0}
    section = machine.section(report)
    assert figure(section, "machine-timeline")["layout"]["yaxis"]["ticktext"] == list(jobs)[:3]
    assert "trial 2, job 1236, 10.0 s<br>done" in figure(section, "machine-timeline")["data"][0]["hovertext"]
    assert [trace["name"] for trace in figure(section, "machine-throughput")["data"]] == list(jobs)[:3]


def test_slots_behind_a_long_name_of_a_machine_have_their_own_rows(tmp_path: Path) -> None:
    jobs = [job(k * 10, 10, "done", f"cuda:{k % 3}", seed=k) for k in range(6)]
    for k, one in enumerate(jobs):
        one.controller = f"of {k % 2}"
    host = "gpu-node-{}.cluster.physics.example.org"
    noted = {f"controller:of {k}": controller(host.format(k)) for k in range(2)}
    report = make_report(tmp_path / "study", [Made({}, [0.5], jobs=jobs)], noted=noted)
    content = figure(machine.section(report), "machine-timeline")
    rows = content["layout"]["yaxis"]
    assert rows["ticktext"][:2] == ["gpu-node-0.clus…le.org: cuda:0", "gpu-node-0.clus…le.org: cuda:1"]
    assert len(set(rows["ticktext"])) == 6 and rows["tickvals"] == list(range(6)) and rows["range"] == [5.5, -0.5]
    assert sorted(content["data"][0]["y"]) == rows["tickvals"]


def test_the_timeline_has_one_bar_per_job(tmp_path: Path) -> None:
    report = make_report(tmp_path / "study", [on("gpu <1>", 0, 40), on(None, 5, 20), on("gpu <1>", 50, 1.5, "FAIL")])
    content = figure(machine.section(report), "machine-timeline")
    rows = content["layout"]["yaxis"]["ticktext"]
    bars = [
        (name, rows[place], base, x)
        for trace in content["data"]
        for name, place, base, x in zip(
            itertools.repeat(trace["name"]), trace["y"], trace["base"], trace["x"], strict=False
        )
    ]
    begin = START.isoformat(timespec="milliseconds")
    assert ("complete", "gpu &lt;1&gt;", begin, 40_000) in bars
    assert ("complete", "slot not known", begin.replace("00.000", "05.000"), 20_000) in bars
    assert ("failed", "gpu &lt;1&gt;", begin.replace("00.000", "50.000"), 1500) in bars


def test_failures_are_shown_by_reason_with_their_retries(tmp_path: Path) -> None:
    trials = [
        on("a", 0, 1, "FAIL", reason="NaN"),
        on("a", 1, 1, "FAIL", reason="no memory", traceback="Traceback <b>"),
        on("a", 2, 1, "FAIL", reason="no memory"),
        on("a", 3, 1, attempts=3),  # whose jobs no record marks as lost
        Made({}, [0.5], jobs=[job(0, 1, "lost"), job(1, 1, "lost"), job(2, 1, "done")]),
        Made({}, state="RUNNING", jobs=[job(0, 1, "lost"), job(5, 1, "stopped"), job(9, None, "")]),
    ]
    trials[5].jobs[0].reason = trials[4].jobs[0].reason = "killed by <SIGKILL>"
    report = make_report(tmp_path / "study", trials)
    found = [(failure.reason, failure.numbers, failure.traceback) for failure in failures(report)]
    assert found == [("no memory", [1, 2], "Traceback <b>"), ("NaN", [0], "")]
    assert [(lost.reason, lost.num, lost.numbers) for lost in lost_jobs(report)] == [
        ("killed by <SIGKILL>", 2, [4, 5]),
        ("lost", 1, [4]),
    ]
    section = machine.section(report)
    assert section is not None
    assert "Traceback &lt;b&gt;" in section.html
    assert "3 jobs were lost" in section.html and "killed by &lt;SIGKILL&gt;" in section.html


def test_training_speed_is_the_median_over_epochs(tmp_path: Path) -> None:
    metrics = [{"epoch": e, "time/train_spectra_per_s": rate} for e, rate in enumerate([10.0, 500.0, 510.0])]
    trials = [Made({}, [0.5], slot="a", runs=[{"metrics": metrics}]), on("b", 1, 1)]
    content = figure(machine.section(make_report(tmp_path / "study", trials)), "machine-throughput")
    assert [trace["y"] for trace in content["data"]] == [[500.0]]


def test_a_run_whose_slot_is_not_known_says_so(tmp_path: Path) -> None:
    """Launchers of batches do not say which slot a job had."""
    metrics = [{"epoch": 1, "time/train_spectra_per_s": 10.0}]
    report = make_report(tmp_path / "study", [Made({}, [0.5], slot=None, runs=[{"metrics": metrics}])])
    (dots,) = figure(machine.section(report), "machine-throughput")["data"]
    assert (dots["name"], dots["text"]) == ("slot not known", ["trial 0, slot not known: 10 spectra/s"])


def test_starts_in_the_same_second_are_distinguished(tmp_path: Path) -> None:
    metrics = [{"epoch": 1, "time/train_spectra_per_s": 10.0}]
    trials = [Made({}, [0.5], slot="a", begins_s=begins_s, runs=[{"metrics": metrics}]) for begins_s in (0.2, 0.7)]
    content = figure(machine.section(make_report(tmp_path / "study", trials)), "machine-throughput")
    assert [at[-6:] for at in content["data"][0]["x"]] == ["00.200", "00.700"]
    low, high = map(datetime.fromisoformat, content["layout"]["xaxis"]["range"])
    assert (high - low).total_seconds() == 10


def test_a_study_without_jobs_has_no_figures_of_the_machine(tmp_path: Path) -> None:
    section = machine.section(make_report(tmp_path / "study", [Made(state="WAITING")]))
    assert section is not None
    assert names(section) == [] and "No job has begun yet" in section.html
    assert "No trial failed" in section.html
