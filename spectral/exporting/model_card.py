"""The model card of a run: a page in Markdown on its data, scores, decision rule, intended use and limits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spectral import __version__
from spectral.configs.baseline import baseline_in_words
from spectral.control_characters import printable
from spectral.errors import UserError
from spectral.files import write_bytes
from spectral.inference.classifier import Classifier
from spectral.inference.wavelengths import in_words
from spectral.runs.doubts import doubts_of
from spectral.runs.folder import RunFolder
from spectral.scoring.console import TITLES, score_lines

ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>#|"})
METRICS = ("precision", "recall", "f1")


def write_card(folder: RunFolder, path: Path, overwrite: bool = False, is_mixed: bool = False) -> bool:
    """Write the model card of a finished run; False: a file of another text is there, and was kept.

    Args:
        overwrite: replace such a file, which somebody may have edited.
        is_mixed: as of `model_card`.

    Raises:
        UserError: the run has not ended.
    """
    content = model_card(folder, is_mixed).encode()
    if not overwrite and path.is_file() and path.read_bytes() != content:
        return False
    write_bytes(path, content)
    return True


def model_card(folder: RunFolder, is_mixed: bool = False) -> str:
    """The model card of a finished run, in Markdown.

    Args:
        is_mixed: whether it was trained on mixtures of classes, after which its probabilities are too small.

    Raises:
        UserError: the run has not ended.
    """
    classifier, result, config = Classifier.load(folder), folder.load_result(), folder.load_config()
    if result is None:
        raise UserError(f"run={folder.path} has not ended and has no scores to describe: resume it first.")
    classifier.build_decision()
    name = _text(folder.path.name)
    sections = (
        [f"# Model card: {name}", _summary(classifier, result)],
        ["## Data", *_data(classifier, result, config)],
        ["## Scores", *_scores(classifier.class_names, result)],
        ["## Decision rule", _rule(classifier)],
        ["## Intended use", *_intended_use(classifier, is_mixed)],
        ["## Limits", *_limits(result, config)],
        ["## How to load", *_how_to_load(classifier)],
    )
    return "\n\n".join(paragraph for section in sections for paragraph in section) + "\n"


def _summary(classifier: Classifier, result: Mapping[str, Any]) -> str:
    classes = f"Classifies spectra into {len(classifier.class_names)} classes: "
    classes += f"{', '.join(map(_text, classifier.class_names))}."
    if classifier.members:
        num = len(classifier.members)
        shares = ", ".join(f"`{member.model.name}` {member.weight:.3f}" for member in classifier.members)
        return (
            f"{classes} Ensemble of {num} network{'s' * (num != 1)} with {result.get('num_parameters', 0):,} "
            f"parameters, whose probabilities are averaged with the weights {shares}."
        )
    return (
        f"{classes} Network `{classifier.model.name}` with "
        f"{result.get('num_parameters', 0):,} parameters, trained for {result.get('num_epochs', '?')} epochs with "
        f"seed {result.get('seed', '?')} by Spectral {result.get('versions', {}).get('spectral', __version__)}; the "
        f"weights are those of epoch {result.get('best_epoch', '?')}."
    )


def _data(classifier: Classifier, result: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    survey, names, inputs = result["survey"], classifier.class_names, classifier.inputs
    wave = "no wavelengths" if classifier.wave_angstrom is None else in_words(classifier.wave_angstrom)
    lines = [
        f"- survey: reader `{config['data']['name']}`, {survey.get('num_spectra', 0):,} spectra, fingerprint "
        f"`{survey['fingerprint']}`",
        f"- pixels: {classifier.length:,} per spectrum, {inputs.num_channels} channel(s), {wave}",
        *(
            f"- inputs: {', '.join(f'`{channel.name}`' for channel in used.channels)} of flux scaled by "
            f"`{used.transform.name}`"
            for used in (inputs, *classifier.further_inputs)
        ),
        f"- baseline of each spectrum: {_baseline(classifier)}",
        f"- split: `{config['split']['name']}`; {result.get('train/num_spectra', 0):,} spectra for training",
    ]
    lines += [f"- left out, {_text(reason)}: {count:,}" for reason, count in survey.get("skipped", {}).items()]
    shares = [("training", classifier.class_priors), ("at which the probabilities stand", classifier.output_prior)]
    known = [(title, values) for title, values in shares if values is not None]
    table = _table(
        ["class", *(title for title, _ in known)],
        [[_text(name), *(f"{values[k]:.4f}" for _, values in known)] for k, name in enumerate(names)],
    )
    return ["\n".join(lines), *(["Class shares:", table] if known else [])]


def _baseline(classifier: Classifier) -> str:
    used = classifier.inputs.baseline
    return f"removed before, `{baseline_in_words(used)}`" if used else "not removed"


def _scores(names: Sequence[str], result: Mapping[str, Any]) -> list[str]:
    """Of each split that was scored: macro-F1 with its interval, and a table by class of the run's decisions."""
    parts: list[str] = []
    for key in ("val", "test"):
        if f"{key}/macro_f1" not in result:
            continue
        where = f"{key}/decision" if f"{key}/decision/macro_f1" in result else key
        rows = [
            [
                _text(name),
                *(f"{result[f'{where}/{metric}/{name}']:.4f}" for metric in METRICS),
                f"{result[f'{key}/num_spectra/{name}']:,}",
            ]
            for name in names
        ]
        lines = "\n".join(f"- {_text(line)}" for line in score_lines(result, names, key))
        parts += [f"### {TITLES[key].capitalize()}", lines, _table(["class", *METRICS, "spectra"], rows)]
    return parts or ["The run has scored no spectra."]


def _rule(classifier: Classifier) -> str:
    rule = classifier.build_decision()
    prior = "" if rule.prior_ratio is None else ", after the probabilities are brought to the training class shares"
    if not rule.num_iterations:
        return f"The most probable class{prior}."
    return (
        f"The class of the largest *slope x probability - offset*{prior}. Slopes and offsets were fitted on validation "
        "for the largest macro-F1; what is reported for validation was decided by rules that had not seen the spectrum."
    )


def _intended_use(classifier: Classifier, is_mixed: bool) -> list[str]:
    pixels = "the same pixels" if classifier.wave_angstrom is None else "these wavelengths, or resampled to them"
    shares = (
        "The run was trained on mixtures of classes (`schedule.mixup_alpha`), which makes them too small: do not "
        "correct them for other shares."
        if is_mixed
        else "If the classes are mixed otherwise, correct them for the new shares."
    )
    return [
        f"Spectra of the same kind of source and instrument as the training data, on {pixels}, in the same flux units "
        f"if the scaling is not relative. Probabilities hold for the class shares given above. {shares}"
    ]


def _limits(result: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    is_given = config["split"]["name"] == "given"
    part = "the same survey, divided by its own split" if is_given else "a random part of the same survey"
    lines = [
        "- Every spectrum gets one of the classes above, also one that belongs to none of them.",
        f"- Scores are of {part}. On another instrument, depth or selection they are lower.",
        "- Intervals are those of the sample of spectra. The spread between seeds is not in them.",
    ]
    if "test/macro_f1" not in result:
        lines.append("- The test split was not scored. Validation flatters if the epoch or the run was chosen by it.")
    made = result.get("ensemble")
    if isinstance(made, Mapping) and made.get("out_of_fold"):
        lines.append(
            "- On validation each spectrum has the probabilities of the members that were not trained on it: its scores"
            " there are not those of their average."
        )
    lines += [f"- In doubt: {_text(doubt)}" for doubt in doubts_of(result)]
    return ["\n".join(lines)]


def _how_to_load(classifier: Classifier) -> list[str]:
    ivar = ", ivar=ivar" if classifier.build_inputs().needs_ivar else ""
    wave = "" if classifier.wave_angstrom is None else ", wave=wave"
    return [
        "The run folder, or the ONNX file that `spectral.export` makes of it:",
        f"```python\nfrom spectral import load_run\n\nrun = load_run(FOLDER)  # or model.onnx\n"
        f"run.predict_proba(flux{ivar}, mask=mask{wave})\n```",
        "Without Spectral, by onnxruntime: "
        f"`flux` [B, {classifier.inputs.num_channels}, {classifier.length}] float32 and `mask` "
        f"[B, {classifier.length}] bool (true: bad pixel)"
        f"{', of spectra whose baseline was removed as above' if classifier.inputs.baseline else ''}"
        f"{', `ivar` of the shape of the flux' if ivar else ''}; out come `probabilities` "
        f"[B, {len(classifier.class_names)}] and `class_index` [B].",
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = [f"| {' | '.join(columns)} |", f"|{'|'.join(['---', *['---:'] * (len(columns) - 1)])}|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _text(words: str) -> str:
    """Words from elsewhere as Markdown's plain text, on one line."""
    return " ".join(printable(words).translate(ESCAPED).split())
