"""The recipe of each experiment: its learning rate, its warm-up, and the epoch whose weights it keeps."""

import pytest
from small_runs import composed

from spectral.configs.root import typed

FALLING = (5e-3, "cosine", 0.05, "last")
RECIPES = {
    (): FALLING,
    ("experiment=best",): FALLING,
    ("experiment=ucr", "data.path=a.tsv", "data.test_path=b.tsv"): (1e-3, "cosine", 0.0, "best"),
    ("experiment=reference",): (1e-3, "constant", 0.0, "best"),
    ("experiment=soft_f1_from_scratch",): (1e-3, "constant", 0.0, "best"),
}


@pytest.mark.parametrize("choice", RECIPES, ids=lambda choice: choice[0] if choice else "default")
def test_each_experiment_has_its_rate_its_warm_up_and_the_weights_that_it_keeps(choice: tuple[str, ...]) -> None:
    config = composed([*choice, "run_dir=never"])
    typed(config)
    schedule = config.lr_schedule
    assert (config.optimizer.lr, schedule.name, schedule.warmup_fraction, config.schedule.keep) == RECIPES[choice]


@pytest.mark.parametrize("name", ["best", "debug", "ucr", "soft_f1_from_scratch"])
def test_the_command_line_chooses_the_schedule_of_an_experiment(name: str) -> None:
    own, other = (composed([f"schedule={schedule}", "run_dir=never"]).schedule for schedule in (name, "reference"))
    assert composed([f"experiment={name}", "run_dir=never"]).schedule == own != other
    assert composed([f"experiment={name}", "schedule=reference", "run_dir=never"]).schedule == other


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("best", "sampler=natural"),
        ("best", "transform=standardize"),
        ("reference", "sampler=power"),
        ("soft_f1_from_scratch", "sampler=balanced"),
        ("ucr", "split=kfold"),
        ("ucr", "lr_schedule=plateau"),
    ],
)
def test_any_part_of_a_group_can_be_chosen_for_an_experiment(name: str, part: str) -> None:
    group = part.partition("=")[0]
    found, alone = (composed([*given, part, "run_dir=never"])[group] for given in ([f"experiment={name}"], []))
    assert found == alone
