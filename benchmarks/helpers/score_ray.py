"""The arm `ray` of time_to_score.py: Ray Tune with ASHA and OptunaSearch on the product's training.

python benchmarks/helpers/score_ray.py JOB     # with the Python of an environment that has ray[tune] and the product
"""

import functools
import sys
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from helpers.score_space import MIN_EPOCHS, NUM_SLOTS, OBJECTIVE, REDUCTION_FACTOR, Job, suggest

SCORE = OBJECTIVE.replace("/", "_")
NUM_TRIALS = 100_000  # the command is ended by its time


def trainable(params: dict[str, Any], job: Job) -> None:
    from helpers.score_training import train

    name = tune.get_context().get_trial_id()
    train(job, name, params, lambda epoch, score: tune.report({SCORE: score, "epoch": epoch}))


def space(trial: Any, job: Job) -> None:
    """The search space. A function of this module, since the searcher is pickled."""
    suggest(trial, job)


def main(job: Job) -> None:
    ray.init(num_cpus=NUM_SLOTS, include_dashboard=False)

    tune.Tuner(
        tune.with_parameters(trainable, job=job),
        tune_config=tune.TuneConfig(
            metric=SCORE,
            mode="max",
            num_samples=NUM_TRIALS,
            max_concurrent_trials=NUM_SLOTS,
            reuse_actors=True,  # otherwise each trial imports torch again
            search_alg=OptunaSearch(functools.partial(space, job=job), metric=SCORE, mode="max", seed=job.seed),
            scheduler=ASHAScheduler(
                time_attr="epoch",
                max_t=job.num_epochs,
                grace_period=MIN_EPOCHS,
                reduction_factor=REDUCTION_FACTOR,
            ),
        ),
        run_config=tune.RunConfig(storage_path=str(Path(job.folder) / "ray"), verbose=0),
    ).fit()


if __name__ == "__main__":
    main(Job.read(Path(sys.argv[1])))
