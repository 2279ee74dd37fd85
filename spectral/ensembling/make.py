"""Make the folder of an ensemble of finished runs. M candidates, K classes."""

import functools
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from spectral.configs.decision import decisions
from spectral.configs.objective import scores_decision
from spectral.ensembling.candidates import Candidate, candidates_of, common_prior, in_order_of, moved_mixtures
from spectral.ensembling.runs import FinishedRun, SplitPredictions
from spectral.ensembling.scoring import EnsembleScores, score_validation
from spectral.ensembling.selection import select_greedily
from spectral.errors import UserError
from spectral.files import write_parquet
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.inference.members import EnsembleModel, Member
from spectral.runs.doubts import DOUBT, doubts_of
from spectral.runs.folder import RunFolder
from spectral.runs.mixtures import MIXED, mixes_classes
from spectral.runs.provenance import git_revision, versions
from spectral.runs.weights import write_weights
from spectral.scoring.decision import Decision
from spectral.scoring.metrics import Floats

log = logging.getLogger(__name__)
NEW = ".new"  # in the folder of an ensemble, while its files are written


@dataclass(frozen=True)
class EnsembleOptions:
    """How members are chosen.

    Args:
        select: 'greedy' (see selection.py), or 'all' with the same weight each.
        num_bags: of the greedy selection.
        seed: of the bags.
    """

    select: str = "greedy"
    num_bags: int = 20
    seed: int = 0


def make_ensemble(
    paths: Sequence[Path | str], out: Path, options: EnsembleOptions, is_made: Callable[[], bool] = lambda: False
) -> dict[str, Any]:
    """Average finished runs, and write the folder of their ensemble; result.json is written last.

    Args:
        paths: of run folders. The first one's config, decision rule and seed are those of the ensemble.
        out: folder of the ensemble. An ensemble that is there is replaced, nothing else is.
        is_made: whether what is there is this ensemble already, and stays; asked when no other process has the folder.

    Returns:
        What result.json holds.

    Raises:
        UserError: a run is missing, corrupt or unlike the others, or `out` holds anything else.
        InUseError: another process has the folder.
    """
    folder = RunFolder(out)
    _check_out(folder, paths)
    with folder.locked():  # a folder that nothing is written to goes again
        made = folder.load_result() if is_made() else None
        return made or _make(paths, folder, options)


def _make(paths: Sequence[Path | str], folder: RunFolder, options: EnsembleOptions) -> dict[str, Any]:
    runs = [FinishedRun.open(path) for path in paths]
    candidates = candidates_of(runs)
    common = common_prior(candidates)
    if doubt := moved_mixtures(candidates, common):
        log.warning(doubt)
    if len(candidates) == 1 and not candidates[0].is_of_folds:
        raise UserError(f"{candidates[0].name} is a single network: an ensemble needs two or more.")
    validation = _aligned([candidate.validation(common) for candidate in candidates], candidates)
    first = candidates[0].runs[0]
    objectives = first.config["objective"]
    objectives = [objectives] if isinstance(objectives, str) else list(objectives)
    greedily = functools.partial(select_greedily, num_bags=options.num_bags, seed=options.seed)
    select = greedily if options.select == "greedy" else None
    scores = score_validation(
        validation,
        select,
        functools.partial(_rule, first, common),
        first.classifier.class_names,
        first.folder.load_seed(),
        scores_decision(objectives),
    )
    chosen = [candidate for candidate, weight in zip(candidates, scores.weights, strict=True) if weight > 0]
    tested = [said for candidate in chosen if (said := candidate.test(common)) is not None]
    has_test = len(tested) == len(chosen)
    if has_test:
        scores.add_test(_aligned(tested, chosen))
    weighted = _weighted_runs(candidates, scores.weights)
    classifier, weights = _classifier(weighted, common, scores.rule)
    made = {
        "select": options.select,
        "num_bags": options.num_bags if select else None,
        "seed": options.seed,
        "runs": [str(path) for path in paths],
        "num_candidates": len(candidates),
        "out_of_fold": any(candidate.is_of_folds for candidate in candidates),
    }
    result = _result(first, weighted, scores, objectives, made, has_test)
    _write(folder, classifier, weights, _config(first, folder, has_test), scores, result)
    return result


def _check_out(folder: RunFolder, paths: Sequence[Path | str]) -> None:
    """Raise UserError if the folder holds anything but an ensemble, or cannot be made."""
    own = "give the ensemble a folder of its own"
    if any(Path(path).resolve() == folder.path.resolve() for path in paths):
        raise UserError(f"--out {folder.path} is the folder of a member: {own}.")
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        files = {path.name for path in folder.path.iterdir() if not path.name.startswith(".")}
    except OSError as error:
        raise UserError(f"--out {folder.path} cannot be made: {error.strerror}.") from error
    if files - {"run.lock"} and not is_ensemble(folder):
        other = "is the folder of another run" if folder.config.exists() else "is not empty and holds no ensemble"
        raise UserError(f"--out {folder.path} {other}: {own}.")


def is_ensemble(folder: RunFolder) -> bool:
    """Whether a folder holds an ensemble, or what is left of one whose making was stopped."""
    try:
        return "members" in json.loads(folder.model.read_text("utf-8"))
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _rule(run: FinishedRun, common: Floats) -> Decision:
    """The decision rule of a run's config, unfitted, for probabilities at the common class priors [K]."""
    priors = run.classifier.class_priors
    rule: Decision = decisions.build(
        decisions.stored(run.config["decision"], "decision"),
        num_classes=len(common),
        class_priors=common if priors is None else priors,
        output_prior=common,
    )
    return rule


def _aligned(said: Sequence[SplitPredictions], candidates: Sequence[Candidate]) -> list[SplitPredictions]:
    """Predictions in the order of the first candidate's spectra. Raises UserError if they are of other spectra."""
    first = candidates[0].name
    return [in_order_of(said[0], part, first, candidate.name) for part, candidate in zip(said, candidates, strict=True)]


def _weighted_runs(candidates: Sequence[Candidate], weights: Floats) -> list[tuple[FinishedRun, float]]:
    """Each run with its weight; those of weight 0 are left out."""
    return [
        (run, float(weight / len(candidate.runs)))
        for candidate, weight in zip(candidates, weights, strict=True)
        for run in candidate.runs
        if weight > 0
    ]


def _classifier(
    weighted: Sequence[tuple[FinishedRun, float]], common: Floats, rule: Decision
) -> tuple[Classifier, dict[str, Tensor]]:
    """The classifier of the ensemble, and the weights of all its networks.

    Raises:
        UserError: the weights of a member cannot be read, or are not those of its network.
    """
    first = weighted[0][0].classifier
    inputs: list[InputSpec] = []
    members, weights = [], dict[str, Tensor]()
    for i, (run, weight) in enumerate(weighted):
        classifier = run.classifier
        if classifier.inputs not in inputs:
            inputs.append(classifier.inputs)
        place = inputs.index(classifier.inputs)
        members.append(Member(classifier.model, weight, run.output_prior, place, run.name, run.weights_digest))
        network = classifier.load_trained(run.folder)
        weights |= {f"members.{i}.{name}": value for name, value in network.state_dict().items()}
    ensemble = Classifier(
        model=EnsembleModel(),
        inputs=inputs[0],
        class_names=first.class_names,
        length=first.length,
        wave_angstrom=first.wave_angstrom,
        class_priors=first.class_priors,
        output_prior=common.tolist(),
        decision_state=rule.state(),
        evaluate_shifts=first.evaluate_shifts,
        members=members,
        further_inputs=inputs[1:],
    )
    return ensemble, weights


def _config(first: FinishedRun, folder: RunFolder, has_test: bool) -> dict[str, Any]:
    """The config of the first member: the data, the split and the rule are those of the ensemble too."""
    own = {"run_dir": str(folder.path), "init": None, "distill": None, "score_test": has_test}
    return first.config | own


def _result(
    first: FinishedRun,
    weighted: Sequence[tuple[FinishedRun, float]],
    scores: EnsembleScores,
    objectives: Sequence[str],
    made: dict[str, Any],
    has_test: bool,
) -> dict[str, Any]:
    """What result.json holds, by the keys of docs/run-folder.md.

    Args:
        first: the first candidate's run, whose survey, seed and rule are those of the ensemble.
        made: how the ensemble was made.
    """
    results = [run.result for run, _ in weighted]
    sums = {
        name: sum(result[name] for result in results)
        for name in ("num_parameters", "time/train_s")
        if all(name in result for result in results)
    }
    found = {**sums, **scores.metrics}
    known = [name for name in objectives if name in found] or ["val/macro_f1"]
    return {
        "objective": known[0] if len(known) == 1 else known,
        "decision": first.config["decision"]["name"],
        "best_epoch": 0,
        "num_epochs": 0,
        **found,
        "confusion": scores.confusions,
        "score_test": has_test,
        "train/num_spectra": first.result.get("train/num_spectra", 0),
        "ensemble": {
            **made,
            "members": [
                {
                    "run": run.name,
                    "weight": weight,
                    "val/macro_f1": run.result.get("val/macro_f1"),
                    MIXED: mixes_classes(run.config),
                }
                | _doubt(run)
                for run, weight in weighted
            ],
        },
        "seed": first.result.get("seed", 0),
        "survey": first.result["survey"],
        "git_revision": git_revision(),
        "versions": versions(),
    }


def _doubt(run: FinishedRun) -> dict[str, str]:
    doubts = doubts_of(run.result)
    return {DOUBT: " ".join(doubts)} if doubts else {}


def _write(
    folder: RunFolder,
    classifier: Classifier,
    weights: dict[str, Tensor],
    config: dict[str, Any],
    scores: EnsembleScores,
    result: dict[str, Any],
) -> None:
    """Write the files into a folder of their own, then put them in place: until all are written, an old one stays.

    Until the config is in place it is no run, and until the result is there it is not finished.
    """
    new = RunFolder(folder.path / NEW)
    shutil.rmtree(new.path, ignore_errors=True)  # of a process that was killed
    try:
        classifier.save(new)
        write_weights(new.weights, weights)
        write_parquet(new.predictions, scores.predictions())
        new.write_config(config)
        new.write_result(result)
        for path in (folder.result, folder.config):
            path.unlink(missing_ok=True)
        for path in (new.model, new.weights, new.predictions, new.config, new.result):
            path.replace(folder.path / path.name)
    finally:
        shutil.rmtree(new.path, ignore_errors=True)
