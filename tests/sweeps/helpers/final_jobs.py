"""Jobs of final runs, and which of them a sweep has run."""

from loop_runs import NO_TRIAL, Call, Sweep

SPACE = {"x": {"low": 1, "high": 9}}
HELD = {"search_overrides": ["score_test=false"], "sampler": "random", "direction": "maximize"}


def score(call: Call) -> float:
    return float(call.values["x"])


def finals(ended: Sweep) -> list[tuple[int, int]]:
    """Trial number and x of the jobs that were given without the search's own overrides."""
    calls = [call for call in ended.launcher.calls if call.link is NO_TRIAL]
    assert calls == [call for call in ended.launcher.calls if "score_test" not in call.values]
    return [(int(call.folder.name), call.values["x"]) for call in calls]
