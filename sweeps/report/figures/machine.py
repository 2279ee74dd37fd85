"""When each slot was busy, and how fast it trained."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

from sweeps.report.figures.job_spans import JOB_OF_SLURM, UNKNOWN, Span, slot_of
from sweeps.report.figures.style import COLOURS, GREY, axis, both_ends, layout, marks, named_places, numbers, short
from sweeps.report.model import Report
from sweeps.report.section import Figure
from sweeps.results.run import Run
from sweeps.results.seeds_or_folds import Replicate
from sweeps.results.trial_row import duration
from sweeps.study.attributes import SEEDS

# By how a job ended.
KINDS = {
    "complete": (("done",), COLOURS[0]),
    "pruned": (("pruned", "paused", "outside"), GREY),
    "failed": (("failed",), COLOURS[1]),
    "lost": (("lost",), COLOURS[6]),
    "stopped with its command": (("stopped",), COLOURS[4]),
    "running, when last heard of": (("",), COLOURS[5]),
}
MOST_SLOTS = 64
BAR = 0.75  # of a row: Plotly would make those of a kind with few bars broader
RATE = "time/train_spectra_per_s"
LEAST_RANGE_S = 10.0  # of an axis of time: below that, ticks would be parts of a second


def timeline(by_slot: dict[str, list[Span]], replicate: Replicate) -> Figure | None:
    """One bar per job, one row per slot; None if no job has begun."""
    if not by_slot:
        return None
    busiest = sorted(by_slot, key=lambda slot: -len(by_slot[slot]))[:MOST_SLOTS]
    rows = {slot: spans for slot, spans in by_slot.items() if slot in busiest}
    data = [_bars(name, endings, colour, rows, replicate) for name, (endings, colour) in KINDS.items()]
    left_out = len(by_slot) - len(rows)
    some = f" The {MOST_SLOTS} slots with most jobs are drawn, {left_out} are not." if left_out else ""
    what = f"Each bar is a job, the run of a trial with one {replicate}, from start to end in its slot"
    label = f"{what}; gaps are idle.{some}"
    drawn = layout("time of the controller's clock", barmode="overlay")
    drawn["xaxis"] |= _along([at for spans in rows.values() for s in spans for at in (s.began_s, s.ended_s)])
    ticks = named_places(both_ends(slot) for slot in rows)
    drawn["yaxis"] |= {**ticks, "range": [len(rows) - 0.5, -0.5]}  # the first on top
    content = {"data": [bars for bars in data if bars["y"]], "layout": drawn}
    return Figure("machine-timeline", label, content, height_px=150 + 26 * len(rows))


def _bars(
    name: str, endings: Sequence[str], colour: str, rows: dict[str, list[Span]], replicate: Replicate
) -> dict[str, Any]:
    places = enumerate(rows.values())
    shown = [(place, span) for place, spans in places for span in spans if span.record.ending in endings]
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [place for place, _ in shown],
        "width": BAR,
        "base": [_clock(span.began_s) for _, span in shown],
        "x": [round((span.ended_s - span.began_s) * 1000) for _, span in shown],
        "hovertext": [_hover(span, replicate) for _, span in shown],
        "hoverinfo": "text",
        "marker": {"color": colour, "line": {"color": "white", "width": 0.5}},
    }


def _hover(span: Span, replicate: Replicate) -> str:
    trial, record = span.trial, span.record
    which = f", {replicate} {record.seed_index}" if SEEDS in trial.attributes or len(trial.runs) > 1 else ""
    number = (record.slot or "").partition(JOB_OF_SLURM)[2]
    job = f", job {short(number, 20)}" if number else ""
    why = f"<br>{short(record.reason, 80)}" if record.reason else ""
    return f"{trial.title}{which}{job}, {duration(span.ended_s - span.began_s)}{why}"


def _clock(seconds: float) -> str:
    """As Plotly reads it, to the millisecond."""
    return datetime.fromtimestamp(seconds).isoformat(timespec="milliseconds")


def _along(seconds: Sequence[float]) -> dict[str, Any]:
    """An axis of time that shows all of these moments, and never less than a few seconds."""
    low, high = min(seconds), max(seconds)
    pad = max(0.03 * (high - low), (LEAST_RANGE_S - (high - low)) / 2)
    return {"type": "date", "range": [_clock(low - pad), _clock(high + pad)]}


def throughput(report: Report) -> Figure | None:
    """None if no run has noted how fast it trained."""
    rates: dict[str, list[tuple[float, float, str]]] = {}
    for trial in report.trials:
        # Of a seed that was begun more than once the last start: what its run has left is of all of them.
        records = {record.seed_index: record for record in trial.jobs}
        for run in trial.runs:
            rate, record = _rate(run), records.get(run.seed_index)
            if rate is not None and record is not None:
                hover = f"{trial.title}, {short(record.slot or UNKNOWN, 40)}: {rate:,.0f} spectra/s"
                rates.setdefault(slot_of(record) or UNKNOWN, []).append((record.began_s, rate, hover))
    if not rates:
        return None
    is_few = len(rates) <= len(COLOURS)
    data = []
    for place, (slot, found) in enumerate(sorted(rates.items())):
        starts, values, hovers = zip(*found, strict=True)
        colour = COLOURS[place] if is_few else COLOURS[0]
        x, style = [_clock(start) for start in starts], {"color": colour, "size": 6, "opacity": 0.7}
        data.append(marks(slot, x, numbers(values), list(hovers), **style))
    label = "Training speed: each dot is a run, the median over its epochs; higher is faster."
    drawn = layout("start of the run", "spectra per second", showlegend=is_few and len(rates) > 1)
    drawn["xaxis"] |= _along([began for found in rates.values() for began, _, _ in found])
    drawn["yaxis"] = axis("spectra per second", rangemode="tozero")
    return Figure("machine-throughput", label, {"data": data, "layout": drawn}, height_px=340)


def _rate(run: Run) -> float | None:
    """Spectra per second, the median over the run's epochs."""
    rates = [row[RATE] for row in run.metrics if RATE in row]
    return median(rates) if rates else None
