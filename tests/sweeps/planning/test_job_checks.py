"""What no job of a sweep could run is refused before a study, a folder or a job is made."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from slow_cases import slow_after
from small_runs import REPOSITORY

from spectral.errors import UserError
from sweeps.launchers.contract import StreamingLauncher
from sweeps.launchers.slurm import SlurmLauncher
from sweeps.loop.loop import SweepLoop
from sweeps.planning.imported import imported

AXES = "loss:[cross_entropy,focal,soft_f1],optimizer.lr:{low:0.001,high:0.01,when:{loss:[focal,soft_f1]}}"
OPEN_CONDITION = (f"+sweep.space={{{AXES}}}", "sweep.enqueue=[{optimizer.lr:0.002}]")
UNMET_CONDITION = ("sweep=loss", "loss=soft_f1", "loss.gamma=choice(2.0)", "sweep.enqueue=[]")

OTHER_RUNS = ("model.width=4,8", "sweep.search_overrides=['score_test=false','schedule.stages.0.epochs=2']")


class BegunError(Exception):
    """Raised in place of the first job."""


@pytest.fixture
def hydra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hydra]:
    def begin(_: SweepLoop) -> None:
        raise BegunError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(SweepLoop, "run", begin)
    GlobalHydra.instance().clear()
    yield Hydra.create_main_hydra2("run", create_config_search_path(str(REPOSITORY / "conf")))
    GlobalHydra.instance().clear()


def begin_sweep(hydra: Hydra, *arguments: str) -> None:
    given = ["tracker=none", "sweep.report=false", "hydra/job_logging=none", "hydra/hydra_logging=none", *arguments]
    hydra.multirun("config", lambda _: None, given, with_log_configuration=False)


REFUSED = [
    (("model.width=4,8", "data=arrays", "data.path=/nope.csv"), r"data\.path=/nope\.csv is not a file\."),
    (
        ("model=compact,fcn", "model.num_blocks=2,3"),
        r"model=fcn cannot be run with the other keys of this search: model\.num_blocks is not a known key: .*; "
        r"leave it out, or search that key under a condition, the `when` of an axis in conf/sweep .*",
    ),
    (
        UNMET_CONDITION,
        r"loss\.gamma cannot be given, since it does nothing here: sweep\.space\.loss\.gamma\.when searches it "
        r"only with loss=focal\.",
    ),
    (
        OPEN_CONDITION,
        r"sweep\.enqueue holds {optimizer\.lr:0\.002}, which needs loss=focal or soft_f1: enqueue one of them .*",
    ),
    (
        ("model.width=4,8", "device=cuda"),
        r"device=cuda is not there for the jobs of this sweep: allowed are auto, cpu(, mps)?\.",
    ),
    (
        ("experiment=debug,ucr", "data=arrays", "data.path=train.tsv", "data.test_path=test.tsv"),
        r"experiment cannot be searched in these values: sweep\.objective=val/macro_f1 is not what the jobs "
        r"return, which is objective=train/loss: .*",
    ),
    (("model.width=4,8", "device=nope"), "device=nope is no device: allowed are auto, cpu, mps, cuda, .*"),
    (("device=cpu,cuda:1",), r"device=cuda:1 is not there for the jobs .*"),
    (("data=tianchi", "data.index=i.csv", "data.folder=no", "seed=1,2"), r"data\.index=i\.csv is not a file\."),
    (
        ("loss=cross_entropy,focal", "model=compact,fcn", "loss.label_smoothing=0,0.1", "sweep.sampler=tpe"),
        r"loss=focal cannot be run with the other keys of this search: loss\.label_smoothing is not a known .*",
    ),
    (
        ("experiment=reference", "optimizer.lr=1e-4,1e-3"),
        r"optimizer\.lr cannot be searched, since it does nothing here: each stage has its own, the first "
        r"schedule\.stages\.0\.lr=0\.001\.",
    ),
    (
        (
            "objective=[time/train_s,val/macro_f1]",
            "optimizer.lr=1e-3,1e-2",
            "sweep.enqueue=[{optimizer.lr:1e-2}]",
        ),
        r"objective=time/train_s is not known: allowed: .*",
    ),
    (
        OTHER_RUNS,
        r"sweep\.search_overrides has schedule\.stages\.0\.epochs=2, without which the best trial would be .*",
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), slow_after(6, REFUSED))
def test_a_sweep_that_cannot_run_is_refused_and_leaves_no_folder(
    arguments: tuple[str, ...], expected: str, hydra: Hydra, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"^{expected}$"):
        begin_sweep(hydra, *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    slow_after(
        2,
        [
            ["model=compact,fcn", "loss=cross_entropy,focal"],
            ["sweep=loss"],
            ["device=cpu,auto"],
            ["model.width=4,8", "sweep.search_overrides=['score_test=false','hydra.verbose=true']"],
            ["model.width=4,8", "schedule.batch_size=8", "sweep.search_overrides=['schedule.batch_size=16']"],
        ],
    ),
)
def test_a_sweep_that_can_run_begins(arguments: list[str], hydra: Hydra) -> None:
    with pytest.raises(BegunError):
        begin_sweep(hydra, *arguments)


def test_jobs_that_run_elsewhere_may_have_what_this_machine_lacks(
    hydra: Hydra, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert StreamingLauncher.devices is SlurmLauncher.devices is None
    monkeypatch.setattr("sweeps.launchers.local.seen_by_jobs", lambda **_: None)
    with pytest.raises(BegunError):
        begin_sweep(hydra, "model.width=4,8", "device=cuda", "data=arrays", "data.path=/there.npz")


def test_a_finished_study_is_shown_after_its_data_have_gone(hydra: Hydra, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("model.width=4,8", "data=arrays", "data.path=spectra.npz", "run_dir=study")
    Path("spectra.npz").touch()
    with pytest.raises(BegunError):
        begin_sweep(hydra, *arguments)
    Path("spectra.npz").unlink()
    with pytest.raises(UserError, match=r"^data\.path=spectra\.npz is not a file\.$"):
        begin_sweep(hydra, *arguments)
    monkeypatch.setattr("sweeps.study.shared_study.SharedStudy.is_finished", lambda _: True)
    with pytest.raises(BegunError):
        begin_sweep(hydra, *arguments)


@pytest.mark.parametrize("where", slow_after(1, ["in its folder", "elsewhere"]))
def test_a_study_that_was_begun_with_an_axis_that_does_nothing_resumes(
    where: str, hydra: Hydra, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As an earlier version, which did not look for such axes, has begun it, here or on another machine."""
    arguments = ["experiment=reference", "optimizer.lr=1e-4,1e-3", "run_dir=study"]
    if where == "elsewhere":
        arguments.append(f"sweep.storage=journal://{tmp_path / 'kept.journal'}")
    with monkeypatch.context() as earlier, pytest.raises(BegunError):
        earlier.setattr("sweeps.planning.job_checks.ignored_axis", lambda *_: "")
        begin_sweep(hydra, *arguments)
    if where == "elsewhere":
        shutil.rmtree("study")
    with pytest.raises(BegunError):
        begin_sweep(hydra, *arguments)
    assert "optimizer.lr cannot be searched, since it does nothing here" in caplog.text


def test_an_axis_that_does_nothing_is_refused_in_a_folder_without_a_study(hydra: Hydra) -> None:
    Path("study").mkdir()
    with pytest.raises(UserError, match=r"^optimizer\.lr cannot be searched, since it does nothing here"):
        begin_sweep(hydra, "experiment=reference", "optimizer.lr=1e-4,1e-3", "run_dir=study")
    assert not list(Path("study").iterdir())


@pytest.mark.parametrize(
    ("arguments", "check", "said"),
    slow_after(
        1,
        [
            (UNMET_CONDITION, "unmet_condition", "loss.gamma cannot be given"),
            (OPEN_CONDITION, "open_condition", "sweep.enqueue holds {optimizer.lr:0.002}"),
            (OTHER_RUNS, "refused_search_override", "sweep.search_overrides has schedule.stages.0.epochs=2"),
        ],
    ),
)
def test_a_study_with_what_a_new_one_may_not_have_resumes(
    arguments: tuple[str, ...],
    check: str,
    said: str,
    hydra: Hydra,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As an earlier version, which did not look at conditions and search_overrides, has begun it."""
    with monkeypatch.context() as earlier, pytest.raises(BegunError):
        earlier.setattr(f"sweeps.planning.job_checks.{check}", lambda *_: "")
        begin_sweep(hydra, *arguments, "run_dir=study")
    with pytest.raises(BegunError):
        begin_sweep(hydra, *arguments, "run_dir=study")
    assert f"A new study would be refused, this one resumes: {said}" in caplog.text


@pytest.mark.parametrize("where", ["spectral.configs.root:nope", "nope:typed", "typed", "a b:c"])
def test_a_check_that_is_no_function_is_named(where: str) -> None:
    with pytest.raises(UserError, match=rf"^sweep\.check_here={where} names no function: allowed is module:function"):
        imported(where, "check_here")
