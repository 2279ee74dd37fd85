"""Mistakes in a sweep of the product: each ends in one sentence, before anything runs."""

from pathlib import Path

import pytest
from commands import command
from search_runs import REPOSITORY, arguments, end_of
from slow_cases import slow_after

SCRIPT = REPOSITORY / "run.py"
ONE_SLOT = "hydra.launcher.jobs_per_device=1"  # each worker imports torch


MISTAKES = [
    (["model.width=16,abc"], "model.width"),
    (["sweep.sampler=tpee", "model.width=4,8"], "sweep.sampler=tpee is not known: did you mean 'tpe'?"),
    (
        ["sweep.sampler=tpe,random"],
        "sweep.sampler=tpe,random cannot be swept over: sweep.sampler has one value",
    ),
    (
        ["model.width=interval(4,8)", "sweep.enqueue=[{model.width: 5},{model.width: 99}]"],
        "model.width=99 cannot be enqueued, because it is outside the space: allowed is an integer from 4 to 8",
    ),
    (
        ["model.width=interval(4,8)", "sweep.seed_key=sed", "sweep.seeds=2"],
        "sweep.seed_key=sed cannot be 0: sed is not a known key: did you mean 'seed'?",
    ),
    (
        ["sweep.check=:", "model.width=4,8"],
        "sweep.check=: names no function: allowed is module:function, or null.",
    ),
    (["objective=val/nope", "model.width=4,8"], "objective=val/nope is not known"),
    (["sweep.objective=val/accuracy", "model.width=4,8"], "the jobs return, which is objective=val/macro_f1"),
    (
        ['sweep.search_overrides=["score_test=false","schedule.stages.0.epochs=2"]', "model.width=4,8"],
        "sweep.search_overrides has schedule.stages.0.epochs=2, without which the best trial would be another run",
    ),
    (
        ["sweep.constraints=5", "model.width=4,8"],
        "sweep.constraints=5 has the wrong type: allowed is a mapping",
    ),
    (
        ["sampler.fractions=choice([0.7,0.1,0.1,0.1],[0.5,0.5])"],
        "sampler.fractions=[0.5, 0.5] has 2 values, but data.class_names has 4 classes",
    ),
    (
        ["sweep=fractions", "sweep.space.sampler.fractions.classes=[a,b]"],
        "give the whole axis, as in '+sweep.space={sampler.fractions:{classes:[a,b]}}'.",
    ),
    (["sweep=widths", "~sweep.space.model.width"], "give it a value, as in model.width=VALUE"),
    (["sweep=fractions", "schedule.batch_size=32"], "a fraction of 0.02 needs schedule.batch_size=50 or more"),
    (["sweep=fractoins"], "sweep=fractoins is not known: did you mean 'fractions'?"),
    (["sweep.check=nope:typed", "model.width=4,8"], "sweep.check=nope:typed names no function"),
    (["sweep=widths", "sweep.space={}"], "model.width=16 cannot be enqueued, because it is not searched"),
    (
        ["sweep.constraints={num_parameters:{at_most:1}}", "model.width=4,8"],
        "+sweep.constraints.num_parameters=...",
    ),
    *(
        ([bound, "model.width=4,8"], "sweep.constraints.num_params is not a number of a run: did you mean")
        for bound in ("+sweep.constraints={num_params:{at_most:1}}", "sweep.constraints.num_params.at_most=1")
    ),
    (
        ["loss.weights={a:1}", "model.width=4,8"],
        "loss.weights={a: 1.0} names a, which is not a class: allowed: galaxy, qso, star, unknown.",
    ),
    (
        ["sampler.fractions=choice({star:0.7,unknown:0.1,galaxy:0.1,qso:0.1},{star:0.8,unknown:0.2})"],
        "sampler.fractions={star: 0.8, unknown: 0.2} does not name the classes galaxy and qso: add galaxy: 0, ",
    ),
    (
        ["sweep=fractions", "+sweep.space={sampler.fractions:{classes:[star,qsoo]}}", "sweep.enqueue=[]"],
        "names qsoo, which is not a class: did you mean 'qso'?",
    ),
    (
        ["sweep=fractions", "sweep.enqueue=[{sampler.fractions:[0.7,0.1,0.1,0.1]}]"],
        "it is outside the space: allowed is a mapping of shares by class that sum to 1 and are at least {star: 0.",
    ),
    (
        ["sweep=fractions", "sweep.space.sampler.fractions.minimum=0.05"],
        "give the whole axis, as in '+sweep.space={sampler.fractions:{minimum:0.05}}'.",
    ),
    (["model.widht=4,8"], "error: model.widht is not a known key: did you mean 'width'?"),
    (["+sweep.constraints.num_parameters.at_mots=1", "model.width=4,8"], "did you mean 'at_most'?"),
    (
        ["sweep.storage=nonsense", "model.width=4,8"],
        "sweep.storage is not the URL of a database: allowed is postgresql://",
    ),
    (["sweep.storage=sqlite:////nowhere/a.db", "model.width=4,8"], "the folder /nowhere"),
    (
        ["sweep.storage=mysql://me:secret@h/d", "model.width=4,8"],
        "sweep.storage holds a password, which would be written into files: leave it out",
    ),
]


@pytest.mark.parametrize(("overrides", "message"), slow_after(14, MISTAKES))
def test_mistakes_end_in_one_sentence_before_anything_runs(overrides: list[str], message: str, tmp_path: Path) -> None:
    """A real process that ends so is in tests/sweeps/loop/test_faults.py."""
    ended = command(SCRIPT, *arguments(tmp_path / "study", *overrides), cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ") and message in last
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("overrides", [["sweep.num_trials=2"], []])
def test_a_yaml_without_the_keys_of_a_search_is_refused_with_the_missing_keys(
    overrides: list[str], tmp_path: Path
) -> None:
    (tmp_path / "conf" / "sweep").mkdir(parents=True)
    (tmp_path / "conf" / "sweep" / "mine.yaml").write_text("space:\n  model.width: [4, 8]\n")
    ended = command(SCRIPT, "-m", "--config-dir", str(tmp_path / "conf"), "sweep=mine", *overrides, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("error: sweep") and len(ended.stderr.splitlines()) == 1
    assert "yaml lacks `defaults: [default, _self_]`." in ended.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("overrides", [["sweep.num_trials=2"], []])
def test_the_config_of_single_runs_is_refused_as_that_of_a_search(overrides: list[str], tmp_path: Path) -> None:
    ended = command(SCRIPT, "-m", "sweep=none", "model.width=4,8", *overrides, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: This search has no keys (sweep=none is for single runs): leave sweep=none out, or begin the search's "
        "yaml with `defaults: [default, _self_]`.\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_mistake_found_in_the_data_ends_the_sweep_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "no.npz").write_text("this is no array")  # a file that is there is opened by a job
    data = f"data.path={tmp_path / 'no.npz'}"
    code, output = end_of(tmp_path / "study", "data=arrays", data, "model.width=4,6", ONE_SLOT, script=SCRIPT)
    assert code == 2, output
    message = f"error: no trial of the study ended well, the last failure is: {data} "
    assert output.splitlines()[-1].startswith(message)
    assert output.endswith(": fix it and give the same command again with sweep.retry_failed=true.\n")
