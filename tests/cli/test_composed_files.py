"""Mistakes in yaml files of the user's own: one sentence that names the file and says what to write."""

from pathlib import Path

import pytest
from commands import command
from slow_cases import slow_after
from small_runs import REPOSITORY

PACKAGE = "the first line of the file has to be `# @package _global_`"
EXAMPLE = "`defaults: [override /model: fcn]`"
NO_LIST = f"experiment/own.yaml: its defaults are no list of single choices, such as {EXAMPLE}."
NO_KEY = f"experiment/own.yaml: experiment is not a known key: {PACKAGE}, and another file of its group is taken by"


def mistake(text: str | bytes, folder: Path, *options: str, group: str = "experiment") -> str:
    """How run.py ends with this text as the file own.yaml of a group."""
    (folder / "conf" / group).mkdir(parents=True)
    (folder / "conf" / group / "own.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    given = ("--config-dir", str(folder / "conf"), f"{group}=own", "run_dir=never", *options)
    ended = command(REPOSITORY / "run.py", *given, cwd=folder)
    assert (ended.returncode, ended.stdout) == (2, "") and [path.name for path in folder.iterdir()] == ["conf"]
    return ended.stderr.removeprefix("error: ").rstrip("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    slow_after(
        9,
        [
            ("model: fcn", f"experiment/own.yaml: model=fcn chooses no part: write {EXAMPLE}."),
            ("defaults: [/model: fcn]", f"model is chosen by two files: to replace the choice write {EXAMPLE}."),
            (
                "defaults: [override model: fcn]",
                "experiment/own.yaml: a choice of another group begins with a slash: write `defaults: [override "
                "/model: NAME]`.",
            ),
            (
                "defaults: [override /method: quant]",
                "experiment/own.yaml: override /method is no choice of this command: --help lists its groups.",
            ),
            (
                "defaults: ['override /model:fcn']",
                "experiment/own.yaml: its defaults name experiment/override /model:fcn, which is not there: a part of "
                f"a group is chosen as in {EXAMPLE}.",
            ),
            (
                "defaults: [model: fcn]",
                "experiment/own.yaml: its defaults name experiment/model/fcn, which is not there: a part of a group is "
                f"chosen as in {EXAMPLE}.",
            ),
            ("defaults: fcn", NO_LIST),
            ("defaults: {override /model: fcn}", NO_LIST),
            ("defaults: [{override /model: fcn, override /loss: focal}]", NO_LIST),
            (
                "schedule: reference",
                "experiment/own.yaml: schedule=reference chooses no part: write `defaults: [override /schedule: "
                "reference]`.",
            ),
            ("model: 3", "experiment/own.yaml: model=3 has the wrong type: allowed is a mapping, such as {a: 1}."),
            (
                "model: {widht: 3}",
                "experiment/own.yaml: model.widht is not a known key: did you mean 'width'? allowed: ",
            ),
            ("model: {width: abc}", "experiment/own.yaml: model.width=abc has the wrong type: allowed is an integer."),
            ("sede: 3", "experiment/own.yaml: sede is not a known key: did you mean 'seed'? allowed: "),
            ("experiment: best", NO_KEY),
        ],
    ),
)
def test_a_mistake_in_an_experiment_says_what_to_write(text: str, expected: str, tmp_path: Path) -> None:
    found = mistake(f"# @package _global_\n{text}\n", tmp_path)
    assert found.startswith(expected) and found.endswith((".", "]`.")) and "\n" not in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed: 3", NO_KEY),
        (
            "defaults: [override /model: fcn]\nmodel: {dropout: 0.1}",
            f"experiment/own.yaml: its choices count below experiment: {PACKAGE}.",
        ),
    ],
)
def test_an_experiment_without_its_first_line_is_named(text: str, expected: str, tmp_path: Path) -> None:
    assert mistake(text, tmp_path).startswith(expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    slow_after(
        2,
        [
            (["+model=fcn"], "model is chosen a second time by +model=fcn: write model=fcn."),
            (
                ["+experiment=best", "+model=fcn"],
                "experiment is chosen a second time by +experiment=best: write experiment=best.",
            ),
            (
                ["-m", "+model=fcn,resnet1d"],
                "model is chosen a second time by +model=fcn,resnet1d: write model=fcn,resnet1d.",
            ),
        ],
    ),
)
def test_a_second_choice_in_the_command_is_no_mistake_in_a_file(
    options: list[str], expected: str, tmp_path: Path
) -> None:
    ended = command(REPOSITORY / "run.py", *options, "run_dir=never", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (2, f"error: {expected}\n")


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    found = mistake("# @package _global_\nmodel:\n\twidth: 3\n", tmp_path)
    place = tmp_path / "conf" / "experiment" / "own.yaml"
    assert found == f"{place}, line 3: found character '\\t' that cannot start any token."


@pytest.mark.parametrize("flags", [["--config-dir"], ["-m", "--config-dir"]])
def test_a_file_whose_name_is_taken_is_refused(flags: list[str], tmp_path: Path) -> None:
    own = tmp_path / "model" / "fcn.yaml"
    own.parent.mkdir()
    own.write_text((REPOSITORY / "conf" / "model" / "fcn.yaml").read_text() + "dropout: 0.9\n")
    ended = command(REPOSITORY / "run.py", "model=fcn", "run_dir=never", *flags, str(tmp_path), cwd=tmp_path)
    said = f"error: {own} has the name of a file of Spectral, which would be taken: give it another name.\n"
    assert (ended.returncode, ended.stderr) == (2, said)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf_8_is_named(encoding: str, tmp_path: Path) -> None:
    found = mistake("# @package _global_\n# in \u00c5\nseed: 3\n".encode(encoding), tmp_path)
    assert found == f"{tmp_path / 'conf' / 'experiment' / 'own.yaml'} is not UTF-8: save it in this encoding."


@pytest.mark.parametrize("options", [[], ["-m", "seed=1,2"]])
def test_a_file_that_is_its_own_default_is_named(options: list[str], tmp_path: Path) -> None:
    found = mistake("# @package _global_\ndefaults: [own]\n", tmp_path, *options)
    assert found == "experiment/own.yaml: its defaults lead back to the file itself: leave out the one that does."


@pytest.mark.slow
def test_a_sweep_says_the_same(tmp_path: Path) -> None:
    found = mistake("# @package _global_\nmodel: fcn\n", tmp_path, "-m", "seed=1,2")
    assert found == f"experiment/own.yaml: model=fcn chooses no part: write {EXAMPLE}."


def test_a_search_says_the_same(tmp_path: Path) -> None:
    found = mistake("defaults: [default, _self_]\nnum_trails: 3\n", tmp_path, "-m", group="sweep")
    assert found.startswith("sweep/own.yaml: sweep.num_trails is not a known key: did you mean 'num_trials'? allowed: ")
