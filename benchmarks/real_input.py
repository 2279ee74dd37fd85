"""Accuracy and macro-F1 on real input: sets of the UCR archive, and one survey in the contest's layout and as NPZ.

    python benchmarks/real_input.py --ucr FOLDER --published peers_summary.csv
    python benchmarks/real_input.py --datasets --survey-text FOLDER --survey-npz FILE

The first trains each network on each set's published training part (`experiment=ucr`) and prints its scores on the
test part, mean and standard deviation over the seeds, next to published ones. The second packs a survey from both
formats and trains on both, with the same split and seeds. If stopped, either resumes with the same command: the results
and the run folders are in `--out`. What was measured: docs/benchmarks.md
"""

import argparse
import os
from pathlib import Path

from helpers import one_survey, ucr_sets
from helpers.product_runs import Results, add_run_options, carry_out
from rich.console import Console


def main() -> None:
    options = _options()
    results, console = Results(options.out), Console(width=200, highlight=False)
    if options.datasets:
        sets = ucr_sets.runs(options.ucr, options.datasets, options.models, options.seeds, options.epochs)
        carry_out(sets, results, options.jobs, options.threads)
        console.print(ucr_sets.table(sets, results, options.published))
    sources = one_survey.sources(options.survey_text, options.survey_npz)
    if sources:
        console.print(one_survey.pack(sources, results))
        surveys = one_survey.runs(sources, options.survey_seeds, options.epochs)
        carry_out(surveys, results, options.jobs, options.threads)
        console.print(one_survey.table(surveys, results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ucr", type=Path, help="folder with NAME/NAME_TRAIN.tsv and NAME/NAME_TEST.tsv")
    parser.add_argument("--published", type=Path, help="CSV of published accuracies; see docs/benchmarks.md")
    parser.add_argument(
        "--datasets", nargs="*", default=ucr_sets.DATASETS, help="UCR sets; without a name the UCR part is left out"
    )
    parser.add_argument("--models", nargs="+", default=ucr_sets.MODELS)
    add_run_options(parser, num_seeds=5, num_jobs=os.cpu_count())
    parser.add_argument("--survey-text", type=Path, help="folder with first_train_index.csv and train/ID.txt")
    parser.add_argument("--survey-npz", type=Path, help="the same survey, with flux, id and type")
    parser.add_argument("--survey-seeds", type=int, nargs="+", default=range(3))
    parser.add_argument("--epochs", type=int, help="epochs of every stage, instead of the experiment's own")
    parser.add_argument("--out", type=Path, default=Path("outputs/real_input/results.json"))
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch per stage: to check that it works")
    options = parser.parse_args()
    if options.datasets and not (options.ucr and options.published):
        parser.error("the UCR part needs --ucr FOLDER and --published CSV; --datasets without names leaves it out")
    if options.quick:
        options.seeds, options.survey_seeds, options.epochs = [0], [0], 1
    return options


if __name__ == "__main__":
    main()
