"""When each slot was busy, and how fast it trained."""

from statistics import median
from typing import Any

from sweeps.report.figures import COLOURS, GREY, axis, layout, marks, numbers, short
from sweeps.report.section import Figure
from sweeps.report.study import Report, ReportedTrial
from sweeps.report.words import duration

STATES = {"complete": COLOURS[0], "pruned": GREY, "fail": COLOURS[1]}
MOST_SLOTS = 64
RATE = "time/train_spectra_per_s"


def timeline(report: Report, by_slot: dict[str, list[ReportedTrial]]) -> Figure | None:
    """A bar a trial, a row a slot; None where no trial has ended."""
    if not by_slot:
        return None
    busiest = sorted(by_slot, key=lambda slot: -len(by_slot[slot]))[:MOST_SLOTS]
    rows = {slot: trials for slot, trials in by_slot.items() if slot in busiest}
    data = [_bars(state, colour, rows) for state, colour in STATES.items()]
    names = [short(slot, 30) for slot in rows]
    left_out = len(by_slot) - len(rows)
    some = f" The {MOST_SLOTS} slots with most trials are drawn, {left_out} are not." if left_out else ""
    label = f"Each bar is a trial from start to end in its slot; gaps are idle time.{some}"
    drawn = layout("time of the controller's clock", "slot", barmode="overlay", bargap=0.25)
    drawn["xaxis"] |= {"type": "date"}
    drawn["yaxis"] |= {"type": "category", "categoryorder": "array", "categoryarray": names[::-1]}
    content = {"data": [bars for bars in data if bars["y"]], "layout": drawn}
    return Figure("machine-timeline", label, content, height_px=150 + 26 * len(rows))


def _bars(state: str, colour: str, rows: dict[str, list[ReportedTrial]]) -> dict[str, Any]:
    shown = [(slot, trial) for slot, trials in rows.items() for trial in trials if trial.state == state]
    return {
        "type": "bar",
        "orientation": "h",
        "name": "failed" if state == "fail" else state,
        "y": [short(slot, 30) for slot, _ in shown],
        "base": [trial.started.isoformat(timespec="milliseconds") for _, trial in shown if trial.started],
        "x": [round((trial.seconds or 0) * 1000) for _, trial in shown],
        "hovertext": [f"trial {trial.number}, {duration(trial.seconds)}" for _, trial in shown],
        "hoverinfo": "text",
        "marker": {"color": colour, "line": {"color": "white", "width": 0.5}},
    }


def throughput(report: Report) -> Figure | None:
    """None where no run has noted how fast it trained."""
    rates: dict[str, list[tuple[ReportedTrial, float]]] = {}
    for trial in report.trials:
        rate = _rate(trial)
        if rate is not None and trial.started and "reused_from" not in trial.attributes:
            rates.setdefault(trial.attributes.get("slot") or "", []).append((trial, rate))
    if not rates:
        return None
    is_few = len(rates) <= len(COLOURS)
    data = []
    for place, (slot, found) in enumerate(sorted(rates.items())):
        starts = [trial.started.isoformat(timespec="seconds") for trial, _ in found if trial.started]
        hover = [f"trial {trial.number}, {short(slot, 40)}: {rate:,.0f} spectra/s" for trial, rate in found]
        colour = COLOURS[place] if is_few else COLOURS[0]
        data.append(marks(slot, starts, numbers(rate for _, rate in found), hover, color=colour, size=6, opacity=0.7))
    label = "Training speed: each dot is a trial, the median over its epochs; higher is faster."
    drawn = layout("start of the trial", "spectra per second", showlegend=is_few and len(rates) > 1)
    drawn["xaxis"] |= {"type": "date"}
    drawn["yaxis"] = axis("spectra per second", rangemode="tozero")
    return Figure("machine-throughput", label, {"data": data, "layout": drawn}, height_px=340)


def _rate(trial: ReportedTrial) -> float | None:
    """Spectra per second, the median over the epochs of the trial's runs."""
    rates = [row[RATE] for run in trial.runs for row in run.metrics if RATE in row]
    return median(rates) if rates else None
