"""python -m spectral.evaluate run=FOLDER [data=...]: score a run on its own survey or another."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

from typing import Any

import hydra
from omegaconf import DictConfig
from rich.console import Console

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.configs.commands import EvaluateConfig, typed_command

EXAMPLE = "python -m spectral.evaluate run=FOLDER"


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
@as_job
def main(config: DictConfig) -> None:
    command = typed_command(config, EvaluateConfig, EXAMPLE)
    # Imports torch, which takes seconds: a mistake on the command line is found before.
    from spectral.inference.run_and_data import labelled_rows, labels_of, open_run_and_data
    from spectral.runs.folder import RunFolder
    from spectral.scoring.console import print_scores
    from spectral.scoring.metrics import confusion
    from spectral.scoring.scores import final_metrics, with_prefix

    predictor, survey = open_run_and_data(command)
    names = predictor.classifier.class_names
    labels = labels_of(survey, names)
    on, rows = labelled_rows(command, survey, labels)
    probabilities = predictor.probabilities(survey, rows)
    decided = predictor.decide(probabilities)
    seed = RunFolder(command.run).load_seed()
    scores: dict[str, Any] = with_prefix(on, final_metrics(probabilities, decided, labels[rows], names, seed))
    scores["confusion"] = {on: confusion(labels[rows], decided, len(names)).tolist()}
    print_scores(Console(), scores, names, [on])


if __name__ == "__main__":
    run_command(main)
