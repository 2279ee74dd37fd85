"""Loss, validation macro-F1 and learning rate of a run by epoch, with the ends of its stages."""

from itertools import pairwise
from typing import Any

from sweeps.report.figures.style import COLOURS, GREY, axis, counting, layout, line, numbers, text
from sweeps.report.section import Figure
from sweeps.results.run import Run

PANELS = {"train/loss": "training loss", "val/macro_f1": "validation macro-F1", "lr": "learning rate"}
GAP = 0.07


def curves(run: Run) -> Figure | None:
    """None if the run has not noted an epoch."""
    rows = [row for row in run.metrics if "epoch" in row]
    panels = [key for key in PANELS if any(row.get(key) is not None for row in rows)]
    if not panels:
        return None
    epochs = [row["epoch"] for row in rows]
    height = (1 - GAP * (len(panels) - 1)) / len(panels)
    drawn = layout(showlegend=False)
    data = []
    for place, key in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        top = 1 - place * (height + GAP)
        title = PANELS[key].replace(" ", "<br>", 1)  # a panel is not high
        # A rate that stays the same is drawn above zero, not around it.
        further = {"rangemode": "tozero"} if key == "lr" else {}
        drawn[f"yaxis{number}"] = axis(title, domain=[max(top - height, 0), top], exponentformat="e", **further)
        trace = line(PANELS[key], epochs, numbers(row.get(key) for row in rows), COLOURS[place])
        data.append(trace | {"yaxis": f"y{number}", "mode": "lines+markers", "marker": {"size": 4}})
    drawn["xaxis"] = counting("epoch", epochs, anchor=f"y{len(panels)}" if len(panels) > 1 else "y")
    best = run.result.get("best_epoch")
    drawn["shapes"], drawn["annotations"] = _marks(rows, best)
    at_best = f" The dotted line is epoch {best}, whose weights are kept." if best else ""
    stages = "; dashed lines are where a new stage began" if drawn["annotations"] else ""
    label = f"How the run learned{stages}.{at_best}"
    return Figure("best-curves", label, {"data": data, "layout": drawn}, height_px=130 + 150 * len(panels))


def _marks(rows: list[dict[str, Any]], best: int | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Upright lines and the names of the stages above them."""
    begins = [new["epoch"] - 0.5 for old, new in pairwise(rows) if old.get("stage") != new.get("stage")]
    shapes = [_upright(x, GREY, "dash") for x in begins] + ([_upright(best, COLOURS[6], "dot")] if best else [])
    if not begins:
        return shapes, []
    starts = [rows[0]["epoch"], *begins]
    stages = list(_run_of_stages(rows))
    names = [
        {
            "x": x,
            "y": 1.01,
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "bottom",
            "showarrow": False,
            "text": text(s),
        }
        for x, s in zip(starts, stages, strict=True)
    ]
    return shapes, names


def _run_of_stages(rows: list[dict[str, Any]]) -> list[Any]:
    stages: list[Any] = [rows[0].get("stage")]
    stages += [new.get("stage") for old, new in pairwise(rows) if old.get("stage") != new.get("stage")]
    return stages


def _upright(x: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": colour, "dash": dash, "width": 1.5},
    }
