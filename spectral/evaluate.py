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
    from spectral.inference.predictor import labelled_rows, open_predictor
    from spectral.scoring.console import print_scores
    from spectral.scoring.metrics import confusion
    from spectral.scoring.scores import final_metrics, with_prefix

    application, console = open_predictor(command), Console()
    labels, names = application.labels(), application.classifier.class_names
    on, rows = labelled_rows(command, application.survey, labels)
    probability, decided = application.classify(rows, command)
    scores: dict[str, Any] = with_prefix(on, final_metrics(probability, decided, labels[rows], names, application.seed))
    scores["confusion"] = {on: confusion(labels[rows], decided, len(names)).tolist()}
    print_scores(console, scores, names, [on])


if __name__ == "__main__":
    run_command(main)
