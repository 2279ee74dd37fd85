"""Mistakes in a config, and in the data that it names: one sentence, before anything is written."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hydra.errors import HydraException
from small_runs import OVERRIDES, arrays, composed, run

from spectral.configs.root import typed
from spectral.errors import UserError
from sweeps.space.messages import hydra_sentence

Overrides = Callable[..., list[str]]


def sentence(overrides: Sequence[str]) -> str:
    """The message that refuses a run whose config is valid."""
    with pytest.raises(UserError) as raised:
        run(overrides)
    return str(raised.value)


def config_sentence(overrides: Sequence[str]) -> str:
    """The message that refuses a command for its config alone."""
    try:
        config = composed(overrides)
    except HydraException as error:
        return hydra_sentence(error)
    with pytest.raises(UserError) as raised:
        typed(config)
    return str(raised.value)


def names_only(*overrides: str) -> list[str]:
    """A command with a mistake in its config alone."""
    return ["run_dir=never", *overrides]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ("model.width=abc", "model.width=abc has the wrong type: allowed is an integer."),
        ("inputs.channels=flux", "inputs.channels=flux has the wrong type: allowed is a list of names, such as [a,b]."),
        ("model.width=2.5", "model.width=2.5 has the wrong type: allowed is an integer."),
        ("model.width=0", "model.width=0 is out of range: allowed is at least 1."),
        ("model.widht=16", "model.widht is not a known key: did you mean 'width'? allowed: .*widths."),
        ("+model.widht=16", "model.widht is not a known key: did you mean 'width'? allowed: .*widths."),
        ("model=nope", "model=nope is not known: allowed: .*fcn, inception_time, lite_time, reference, resnet1d."),
        ("model=referense", "model=referense is not known: did you mean 'reference'? allowed: .*"),
        ("model.dilations=3", "model.dilations=3 has the wrong type: allowed is a list of integers, such as [1,2]."),
        (
            "model.dilations={a:1}",
            "model.dilations={a:1} has the wrong type: allowed is a list of integers, such as [1,2].",
        ),
        ("model=[a,b]", "model is given b in a list with others: it takes one name, as in model=b."),
        ("model=[fcn,reference]", "model is given reference in a list with others: it takes one name, as in .*"),
        ("model.dilations.5=3", "model.dilations[5] does not exist: model.dilations has 3 elements, from index 0; .*"),
        (
            "loss.weights={a:1}",
            "loss.weights={a: 1.0} names a, which is not a class: allowed: galaxy, qso, star, unknown.",
        ),
        ("loss.weights=3", "loss.weights=3 has the wrong type: allowed is a number for each class, by name .*"),
        (
            "sampler=fractions sampler.fractions={star:0.5,qso:0.4}",
            "sampler.fractions={star: 0.5, qso: 0.4} does not name the classes unknown and galaxy: "
            "add unknown: 0, galaxy: 0 to leave them out, or another number.",
        ),
        (
            "sampler.fractions={star:0.5,unknown:0.4,galaxy:0.2,qso:0}",
            "sampler.fractions={star: 0.5, unknown: 0.4, galaxy: 0.2, qso: 0.0} sums to 1.1: it must sum to 1.",
        ),
        (
            "sampler.fractions={star:0.5,unknown:0.5,galaxy:0,qsoo:0}",
            "sampler.fractions={star: 0.5, unknown: 0.5, galaxy: 0.0, qsoo: 0.0} names qsoo, which is not a class: "
            "did you mean 'qso'? allowed: .*",
        ),
        (
            "sampler.fractions={star:0.5,unknown:0.5,galaxy:0,qso:0,Star:0}",
            "sampler.fractions={star: 0.5, .*, Star: 0.0} names the class star twice: leave out one of the two.",
        ),
        (
            "sampler.fractions={qso:0.001,unknown:0.009,galaxy:0,star:0.99}",
            "sampler.fractions={.*} leaves qso without a place in a batch of 160: a fraction of 0.001 needs "
            "schedule.batch_size=1000 or more.",
        ),
        (
            "data=arrays sampler.fractions={a:0.9985,b:0.001,c:0.0005}",
            "sampler.fractions={.*} leaves c without a place in a batch of 160: a fraction of 0.0005 needs .*=2000 .*",
        ),
        (
            "sampler.fractions={}",
            "sampler.fractions={} names no class: give all classes at once, as in 'sampler.fractions={.*}'.",
        ),
        (
            "experiment=reference sampler.fractions.star=0.5",
            "sampler.fractions.star=0.5 sets one class alone: give all classes at once, as in .*",
        ),
        (
            "+loss.weights.qso=4",
            "loss.weights.qso=4 sets one class alone: give all classes at once, as in 'loss.weights={.*}'.",
        ),
        (
            "sampler=schedule sampler.end=fractions sampler.end_fractions={star:1,qso:0,galaxy:0}",
            "sampler.end_fractions={star: 1.0, qso: 0.0, galaxy: 0.0} does not name the class unknown: "
            "add unknown: 0 to leave it out, or another number.",
        ),
        (
            "schedule.stages.0.loss={name:focal,weights:{star:1,unknown:1,galaxy:2}}",
            "schedule.stages[0].loss.weights={star: 1.0, unknown: 1.0, galaxy: 2.0} does not name the class qso: "
            "add qso: 1, or another number.",
        ),
        ("data.priors={star:1}", "data.priors={star: 1.0} does not name the classes unknown, galaxy and qso: add .*"),
        ("data.priors=[0.5,0.5]", "data.priors=[0.5, 0.5] has 2 values, but the simulated survey has 4 classes: .*"),
        ("data.class_names={a:1}", "data.class_names={a:1} has the wrong type: allowed is a list of texts, .*"),
        ("model.widths=[16,x]", "model.widths[1]=x has the wrong type: allowed is an integer."),
        (
            "schedule.stages=[{name:a,lr_schedule:{name:multistep,milestones:[x]}}]",
            "schedule.stages[0].lr_schedule.milestones[0]=x has the wrong type: allowed is a number.",
        ),
        ("model.dilations=[[1,2],4]", "model.dilations[0]=[1, 2] has the wrong type: allowed is an integer."),
        ("model=fcn model.widths=[2,{a:1},3]", "model.widths[1]={a: 1} has the wrong type: allowed is an integer."),
        ("evaluate_shifts=[[1]]", "evaluate_shifts[0]=[1] has the wrong type: allowed is an integer."),
        (
            "lr_schedule=multistep lr_schedule.milestones=[[0.5]]",
            "lr_schedule.milestones[0]=[0.5] has the wrong type: allowed is a number.",
        ),
        ("data.class_names=[[a],b]", "data.class_names[0]=['a'] has the wrong type: allowed is text."),
        (
            "inputs.augmentations=[{name:redshift,classes:[[qso]]}]",
            "inputs.augmentations[0].classes[0]=['qso'] has the wrong type: allowed is text.",
        ),
        (
            "sampler=fractions sampler.fractions=[0.5,0.6,0,0]",
            "sampler.fractions=[0.5, 0.6, 0.0, 0.0] sums to 1.1: it must sum to 1.",
        ),
        (
            "sampler=fractions sampler.fractions=[0.5,0.5]",
            "sampler.fractions=[0.5, 0.5] has 2 values, but data.class_names has 4 classes: star, .*, qso.",
        ),
        (
            "sampler=schedule sampler.end=fractions sampler.end_fractions=[0.5,0.5]",
            "sampler.end_fractions=[0.5, 0.5] has 2 values, but data.class_names has 4 classes: .*",
        ),
        ("loss.weights=[1,2]", "loss.weights=[1.0, 2.0] has 2 values, but data.class_names has 4 classes: .*"),
        (
            "schedule.stages.0.loss={name:focal,weights:[1,2,3]}",
            "schedule.stages[0].loss.weights=[1.0, 2.0, 3.0] has 3 values, but data.class_names has 4 classes: .*",
        ),
        (
            "data=arrays data.class_names=[a,b,c] loss.weights=[1,2]",
            "loss.weights=[1.0, 2.0] has 2 values, but data.class_names has 3 classes: a, b, c.",
        ),
        (
            f"sampler=fractions sampler.fractions={{a:{10**400},b:1}}",
            f"sampler.fractions={{a: {10**400}, b: 1.0}} is out of range: allowed is .* no whole number beyond .*.",
        ),
        ("optimizer.lr=-1", "optimizer.lr=-1.0 is out of range: allowed is above 0."),
        ("optimizer.lr=nan", "optimizer.lr=nan is out of range: allowed is above 0."),
        ("schedule.stages.0.lr=-1", "schedule.stages[0].lr=-1.0 is out of range: allowed is above 0."),
        ("schedule.stages.0.start=first", "schedule.stages[0].start=first is not known: .*allowed: best, last."),
        (
            "schedule.stages.0.loss=cross_entrop",
            "schedule.stages[0].loss=cross_entrop is not known: did you mean 'cross_entropy'? allowed: .*",
        ),
        (
            "schedule.stages.0.loss={name:soft_f1,forn:x}",
            "schedule.stages[0].loss.forn is not a known key: did you mean 'form'? allowed: .*",
        ),
        ("schedule.stages=[]", "schedule.stages=[] is empty: at least one stage is needed."),
        (
            "schedule.stages=3",
            "schedule.stages=3 has the wrong type: allowed is a list of mappings, such as [{name:first},{name:second}]"
            ".",
        ),
        ("schedule.stages=[3]", "schedule.stages[0]=3 has the wrong type: allowed is a mapping, such as {a: 1}."),
        (
            "schedule.stages.1.lr=3e-5",
            "schedule.stages[1] does not exist: schedule.stages has one element, of index 0; to make it longer give "
            "the whole list, as in 'schedule.stages=[{name:first},{name:second}]'.",
        ),
        (
            "schedule=reference schedule.stages.2.lr=1",
            "schedule.stages[2] does not exist: .* 2 elements, from index 0; .*",
        ),
        (
            "schedule=reference schedule.stages.1.loss.prior_weighted=true",
            "schedule.stages[1].loss.prior_weighted is not a known key: allowed: form; to add a new key write a plus "
            "before it, as in +schedule.stages.1.loss.prior_weighted=...",
        ),
        ("data=lamost data.class_map={1:star}", "data.class_map.1 is not a known .*, as in +data.class_map.1=..."),
        ("+schedule.batchsize=3", "schedule.batchsize is not a known key: did you mean 'batch_size'? allowed: .*"),
        ("schedule=nope", "schedule=nope is not known: allowed: best, .*, default, reference, .*."),
        ("experiment=debgu", "experiment=debgu is not known: did you mean 'debug'? allowed: .*reference.*"),
        ("+foo=1", "foo is not a known key: allowed: .*seed, split, sweep, tracker, transform."),
        ("method=boosting", "method is not a known key of this command, though of another one: --help lists its keys."),
        ("sede=1", "sede is not a known key: did you mean 'seed'? allowed: .*"),
        ("seed=-1", "seed=-1 is out of range: allowed is at least 0 and at most 2147483647."),
        ("seed=null", "seed=null has the wrong type: allowed is an integer."),
        ("score_test=abc", "score_test=abc has the wrong type: allowed is true or false."),
        ("run_dir=[1]", "run_dir=[1] has the wrong type: allowed is text."),
        ("model.width={a:1}", "model.width={a:1} has the wrong type: allowed is an integer."),
        ("sweep.pruning=3", "sweep.pruning=3 has the wrong type: allowed is a mapping, such as {a: 1}."),
        ("~model.width", "model.width cannot be deleted: give it another value, such as null, [] or {}."),
        ("precision=half", "precision=half is not known: allowed: auto, bfloat16, float32."),
        ("objective=val/macro_f", "objective=val/macro_f is not known: did you mean 'val/macro_f1'? allowed: .*"),
        ("objective=test/macro_f1", "objective=test/macro_f1 is refused: .* so choose by val/macro_f1."),
        ("objective=[val/accuracy,test/accuracy]", "objective=test/accuracy is refused: .*"),
        ("objective=[]", "objective=[] is not the name of a metric: .*"),
        ("objective=null", "objective=None is not the name of a metric: .*"),
        ("objective=3", "objective=3 is not the name of a metric: .*"),
        ("run_dir=null", "run_dir=None is not a folder: give its path, or leave run_dir out."),
        ("run_dir=", "run_dir= is not a folder: give its path, or leave run_dir out."),
        ("data.dtype=float8", "data.dtype=float8 is not known: did you mean 'float32'? allowed: float16, float32."),
        ("tracker=wandbb", "tracker=wandbb is not known: did you mean 'wandb'? allowed: mlflow, none, .*"),
        ("tracker.mode=ofline", "tracker.mode=ofline is not known: did you mean 'offline'? allowed: auto, .*"),
        ("tracker.tags=['']", "tracker.tags: '' is not a tag: allowed are 1 to 64 letters."),
        ("tracker.project=", "tracker.project= is empty: allowed is the name of a project."),
        ("tracker.finish_timeout_s=0", "tracker.finish_timeout_s=0.0 is out of range: allowed is above 0."),
        ("split=kfold split.fold=9", "split.fold=9 is out of range: with 5 folds it is at most 4."),
        ("model.width=4,6", "model.width=4,6 has several values, which need -m; write a list in brackets, .*"),
        ("model.width=range(4,6)", "model.width=range(4,6) has several values, which need -m; .*"),
        ("model.width=[1", "model.width=[1 cannot be read as key=value: no viable alternative at input .*"),
        ("model.width=interval(a,b)", "model.width=interval(a,b) cannot be read as key=value: .* start.*"),
        (
            "data.path=/home/andré/a.npz",
            "data.path=/home/andré/a.npz cannot be read as key=value: write 'data.path=\"/home/andré/a.npz\"'.",
        ),
        (
            "schedule.stages[0].lr=null",
            "schedule.stages[0].lr=null cannot be read as key=value: write schedule.stages.0.lr=null.",
        ),
        ("model.width", "model.width cannot be read as key=value: it has no =."),
        ("model.width=4 8", "8 cannot be read as key=value: it has no =."),
    ],
)
def test_a_mistake_in_the_config_is_reported_in_one_sentence(
    overrides: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = config_sentence(names_only(*overrides.split()))
    pattern = re.escape(expected).replace(r"\.\*", ".*")
    assert re.fullmatch(pattern, found), found
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (("objective=val/f1/qos",), "objective=val/f1/qos is not known: did you mean 'val/f1/qso'? allowed: .*"),
        (
            ("sampler=fractions", "sampler.fractions=[0.5,0.5]"),
            "sampler.fractions=[0.5, 0.5] has 2 values, but the data has 3 classes: .*",
        ),
        (
            ("sampler.fractions={a:0.5,b:0.4,c:0.1,d:0}",),
            "sampler.fractions={a: 0.5, b: 0.4, c: 0.1, d: 0.0} names a, which is not a class: allowed: .*",
        ),
        (("loss.weights=[1,2]",), "loss.weights=[1.0, 2.0] has 2 values, but the data has 3 classes: .*"),
        (("split.validation=0",), "objective=val/macro_f1 needs validation spectra .*"),
        (("split=given", "split.validation=0.1"), "split=given needs a split column in the catalog: .*"),
        (("data.folder=nowhere",), ".*nowhere.*"),
        (("device=gpu",), "device=gpu is no device: allowed are auto, cpu, mps, cuda, and one GPU, as in cuda:1."),
        (("device=cuda:99",), "device=cuda:99 is not on this machine: allowed are auto, cpu.*"),
    ],
)
def test_a_mistake_found_in_the_data_leaves_no_folder(
    overrides: tuple[str, ...], expected: str, small: Overrides, tmp_path: Path
) -> None:
    given = [override for override in small() if not ("split=given" in overrides and override.startswith("split."))]
    found = sentence([*given, *overrides])
    assert re.fullmatch(re.escape(expected).replace(r"\.\*", ".*"), found), found
    assert not (tmp_path / "run").exists()


def test_a_class_too_rare_for_the_split_is_named(tmp_path: Path) -> None:
    content = arrays()
    rows = np.flatnonzero((content["label"] != "qso") | (np.cumsum(content["label"] == "qso") <= 2))
    np.savez(tmp_path / "rare.npz", **{name: content[name][rows] for name in ("flux", "id", "label")})
    data = ["data=arrays", f"data.path={tmp_path / 'rare.npz'}", f"cache_dir={tmp_path / 'cache'}"]
    found = sentence([*data, "data.num_workers=1", f"run_dir={tmp_path / 'run'}", *OVERRIDES])
    assert re.match(r"Class 'qso' has 2 labelled spectra, too few for the 3 parts", found)
    assert not (tmp_path / "run").exists()


def test_missing_data_is_named(tmp_path: Path) -> None:
    found = sentence(["data=arrays", f"data.path={tmp_path}/no.npz", f"run_dir={tmp_path / 'run'}", *OVERRIDES])
    assert found == f"data.path={tmp_path}/no.npz is not a file."
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_files_is_left_alone(small: Overrides, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    sentence(small("objective=val/f1/qos"))
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
