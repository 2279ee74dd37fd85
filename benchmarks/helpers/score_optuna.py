"""The arm `optuna` of time_to_score.py: Optuna alone on the product's training, two threads, Optuna's default pruner.

python benchmarks/helpers/score_optuna.py JOB
"""

import sys
from pathlib import Path

import optuna

from helpers.score_space import NUM_SLOTS, Job, suggest
from helpers.score_training import train


def main(job: Job) -> None:
    def objective(trial: optuna.Trial) -> float:
        def on_score(epoch: int, score: float) -> None:
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        return train(job, str(trial.number), suggest(trial, job), on_score)

    sampler, pruner = optuna.samplers.TPESampler(seed=job.seed), optuna.pruners.MedianPruner()
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.optimize(objective, n_jobs=NUM_SLOTS)


if __name__ == "__main__":
    main(Job.read(Path(sys.argv[1])))
