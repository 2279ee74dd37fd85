"""Accuracy and macro-F1 on real input: sets of the UCR archive, and one survey in the contest's layout and as NPZ.

    python benchmarks/real_input.py --ucr FOLDER --published peers_summary.csv
    python benchmarks/real_input.py --datasets --survey-text FOLDER --survey-npz FILE

The first trains each network on each set's published training part (`experiment=ucr`) and prints its scores on the
test part, mean and standard deviation over the seeds, beside published ones. The second packs a survey from both
formats and trains on both, with the same split and seeds. Stopped, either goes on with the same command: the results
and the folders of the runs stand beside each other at `--out`. What was measured: docs/benchmarks.md
"""

import argparse
import os
from pathlib import Path

import one_survey
import ucr_sets
from product_runs import Results, carry_out
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
    parser.add_argument("--ucr", type=Path, default=Path("../shared/data/ucr"), help="holds NAME/NAME_TRAIN.tsv")
    parser.add_argument("--published", type=Path, default=Path("../shared/data/published/peers_summary.csv"))
    parser.add_argument("--datasets", nargs="*", default=ucr_sets.DATASETS, help="none after it: no UCR part")
    parser.add_argument("--models", nargs="+", default=ucr_sets.MODELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--survey-text", type=Path, help="holds first_train_index.csv and train/ID.txt")
    parser.add_argument("--survey-npz", type=Path, help="the same survey, with flux, id and type")
    parser.add_argument("--survey-seeds", type=int, nargs="+", default=range(3))
    parser.add_argument("--epochs", type=int, help="of every stage, in place of the experiment's own")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="of each of them")
    parser.add_argument("--out", type=Path, default=Path("outputs/real_input/results.json"))
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch a stage: to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.survey_seeds, options.epochs = [0], [0], 1
    return options


if __name__ == "__main__":
    main()
