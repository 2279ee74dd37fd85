"""python -m spectral.evaluate run=FOLDER [data=...] [out=FOLDER]: score a run on its own survey or another."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

import hydra
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.configs.commands import EvaluateConfig, typed_command

EXAMPLE = "python -m spectral.evaluate run=FOLDER"


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
@as_job
def main(config: DictConfig) -> None:
    command = typed_command(config, EvaluateConfig, EXAMPLE)
    # Imports torch, which takes seconds: a mistake on the command line is found before.
    from spectral.inference.evaluation import check_out, evaluate, write_evaluation
    from spectral.scoring.console import print_doubt, print_scores
    from spectral.terminal import Terminal

    check_out(command.out, command.run)
    found = evaluate(command)
    console = Terminal()
    print_scores(console, found.result, found.class_names, [found.key])
    if found.not_scored:
        console.say(found.not_scored)
    if command.out is not None:
        write_evaluation(found, command.out)
        console.say(f"written to {command.out}")
    print_doubt(console, found.doubt)


if __name__ == "__main__":
    run_command(main)
