"""Options that do nothing next to another one."""

import pytest
from small_runs import composed

from spectral.configs.ignored import ignored_options
from spectral.configs.root import typed

WIDTHS = "model.widths=[8,16]"
REFERENCE = "schedule=reference"
PLATEAU = "name:train,epochs:12,lr_schedule:plateau"
LISTED = ["data=lamost", "data.grid.kind=listed", "data.grid.wave_angstrom=[4000,4001]"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([WIDTHS], []),
        (["model.width=4"], []),
        (["data=arrays", "data.path=s.npz", "data.grid.kind=log", "data.grid.step=2e-4"], []),
        (
            ["data=arrays", "data.path=s.npz", "data.grid.start_angstrom=4000"],
            ["data.grid.start_angstrom=4000 does nothing without data.grid.kind: the pixels stay the source's."],
        ),
        ([WIDTHS, "model.width=4"], ["model.width=4 does nothing: model.widths=[8, 16] gives the number of blocks"]),
        ([WIDTHS, "model.num_blocks=2"], ["model.num_blocks=2 does nothing: model.widths=[8, 16]"]),
        (["loss=soft_f1", "loss.eps=1e-3"], []),
        (
            ["loss=soft_f1", "loss.form=mean_of_logs", "loss.eps=1e-3"],
            ["loss.eps=0.001 does nothing: loss.form=mean_of_logs needs no eps."],
        ),
        (["distill=teacher", "distill_weight=0.8"], []),
        (["distill_weight=0.5", "distill_on=spectra"], []),
        (["distill_weight=0.8"], ["distill_weight=0.8 does nothing: there is no teacher without distill=FOLDER."]),
        (
            ["distill_on=batches", "distill_temperature=2"],
            ["distill_on=batches does nothing: there is no", "distill_temperature=2.0 does nothing: there is no"],
        ),
        (
            ["schedule.stages=[{loss:{name:soft_f1,form:mean_of_logs,eps:1e-3}}]"],
            ["schedule.stages[0].loss.eps=0.001 does nothing"],
        ),
        (
            [REFERENCE, "loss=focal", "loss.gamma=3"],
            [
                "loss=focal does nothing: each stage has its own, the first schedule.stages.0.loss=cross_entropy.",
                "loss.gamma=3 does nothing: each stage has its own, the first schedule.stages.0.loss=",
            ],
        ),
        (
            [REFERENCE, "optimizer=sgd", "optimizer.lr=3e-4", "lr_schedule=cosine"],
            ["optimizer.lr=3e-4 does nothing: each stage has its own, the first schedule.stages.0.lr=0.001."],
        ),
        ([REFERENCE, "schedule.stages.1.lr=null", "optimizer.lr=3e-4"], []),
        (["init_wave=any", "init=run"], []),
        (["init_wave=any"], ["init_wave=any does nothing: there are no weights to begin with without init=FOLDER."]),
        (["schedule.mixup_classes=within", "schedule.mixup_alpha=0.2"], []),
        (["schedule.mixup_classes=within"], ["schedule.mixup_classes=within does nothing without schedule.mixup_"]),
        (["lr_schedule=plateau"], []),
        (
            ["lr_schedule=plateau", "lr_schedule.patience_epochs=10"],
            [
                "lr_schedule.patience_epochs=10 does nothing with schedule.stages[0].epochs=12: the learning rate "
                "cannot fall before epoch 13."
            ],
        ),
        (["lr_schedule=plateau", "lr_schedule.patience_epochs=9"], []),
        (
            ["schedule.stages=[{name:long,epochs:9},{name:short,epochs:4,lr_schedule:plateau}]"],
            ["schedule.stages[1].lr_schedule.patience_epochs=2 does nothing with schedule.stages[1].epochs=4:"],
        ),
        (
            ["schedule.patience_epochs=3"],
            [
                "schedule.patience_epochs=3 ends a stage when its best epoch is over, and schedule.keep=last keeps the "
                "weights of its last epoch: schedule.keep=best keeps the best."
            ],
        ),
        (["schedule.patience_epochs=3", "schedule.keep=best"], []),
        (["sampler=schedule", "lr_schedule=plateau"], ["lr_schedule=plateau does not tell when to lower the learning"]),
        (["sampler=schedule", f"schedule.stages=[{{{PLATEAU}}}]"], ["schedule.stages[0].lr_schedule=plateau does not"]),
        (
            ["sampler=schedule", "objective=train/loss", "schedule.keep=best"],
            ["objective=train/loss does not tell the best epoch with sampler=schedule:"],
        ),
        (["sampler=schedule", "objective=train/loss"], []),
        (["sampler=schedule", "schedule.keep=best"], []),
        (["sampler=schedule", "sampler.start=balanced", "lr_schedule=plateau"], []),  # it stays as it is
        (["sampler=balanced", "lr_schedule=plateau", "objective=train/loss", "schedule.keep=best"], []),
        (["data=packed"], []),
        (
            [*LISTED, "data.grid.step=2e-4", "data.grid.stop_angstrom=8000"],
            [
                "data.grid.stop_angstrom=8000 does nothing with data.grid.kind=listed: data.grid.wave_angstrom lists",
                "data.grid.step=0.0002 does nothing with data.grid.kind=listed",
            ],
        ),
        ([*LISTED, "data.grid.stop_angstrom=9100"], []),  # of a run that took its grid from another by init
        (["data=lamost", "data.file_key=name", "data.catalog=c.csv"], []),
        (["data=lamost", "data.file_key=name"], ["data.file_key=name does nothing without data.catalog."]),
        (["data=lamost", "data.limit_draw=first", "data.limit=9"], []),
        (["data=lamost", "data.limit_draw=first"], ["data.limit_draw=first does nothing without data.limit."]),
        (["data.baseline.method=arpls", "data.baseline.lam=1e6"], []),
        (["data.baseline.lam=1e6"], ["data.baseline.lam=1e+06 does nothing with data.baseline.method=none."]),
    ],
)
def test_an_option_that_does_nothing_is_named(overrides: list[str], said: list[str]) -> None:
    config = composed([*overrides, "run_dir=somewhere"])
    found = ignored_options(typed(config), overrides)
    assert len(found) == len(said) and all(map(str.startswith, found, said))
