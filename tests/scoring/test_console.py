"""The tables that a run prints at its end."""

import io

from rich.console import Console

from spectral.scoring.console import class_table, print_result, print_scores

NAMES = ["star", "[bold]odd[/bold]", "a[0]"]


def shown(width: int = 100, **changes: object) -> str:
    scores: dict[str, object] = {"confusion": {}, "survey": {"class_names": NAMES}}
    for split, base in (("val", 0.5), ("test", 0.25)):
        scores |= {f"{split}/macro_f1": base, f"{split}/macro_f1_low": base - 0.1, f"{split}/macro_f1_high": base + 0.1}
        scores |= {f"{split}/num_spectra": 30}
        for k, name in enumerate(NAMES):
            scores |= {f"{split}/{metric}/{name}": base + k / 100 for metric in ("precision", "recall", "f1")}
            scores |= {f"{split}/num_spectra/{name}": 10}
        scores["confusion"][split] = [[9, 1, 0], [2, 7, 1], [0, 3, 70007]]  # type: ignore[index]  # a result has values of several types
    scores |= changes
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_result(console, scores, "outputs/[red]run[/red]")
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]  # its file is a StringIO


def test_the_console_shows_the_scores_of_each_split_and_the_last_confusion_matrix() -> None:
    text = shown()
    assert text.count("Scores by class") == 2 and text.count("Confusion matrix, test") == 1
    assert "validation macro-F1 0.5000  (95 % interval of the sample 0.4000 to 0.6000)" in text
    assert "test macro-F1 0.2500  (95 % interval of the sample 0.1500 to 0.3500)" in text
    row = next(line.split() for line in text.splitlines() if line.split()[:1] == ["a[0]"])
    assert row == ["a[0]", "0.5200", "0.5200", "0.5200", "10"]
    assert any(line.split() == ["a[0]", "0", "3", "70007"] for line in text.splitlines())


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    text = shown()
    assert text.count("[bold]odd[/bold]") == 4  # a row in each class table, a row and a column of the matrix
    assert "run folder: outputs/[red]run[/red]" in text


def test_a_class_name_with_control_characters_is_shown_as_text_and_stays_aligned() -> None:
    name, metrics = "\x1b[2Jqso", ("precision", "recall", "f1", "num_spectra")
    scores = {"val/macro_f1": 0.0, "val/num_spectra": 1} | {f"val/{metric}/{name}": 0 for metric in metrics}
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(class_table(scores, [name], "val"))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # its file is a StringIO
    assert any(r"\x1b[2Jqso" in line for line in lines) and len({len(line) for line in lines if line.strip()}) == 1


def test_the_path_of_the_folder_is_never_wrapped() -> None:
    console = Console(file=io.StringIO(), width=20, color_system=None)
    print_result(console, {"survey": {"class_names": []}}, "/a/very/long/path/" * 4)
    assert "/a/very/long/path/" * 4 in console.file.getvalue()  # type: ignore[attr-defined]  # its file is a StringIO


def test_a_run_without_scores_prints_no_table() -> None:
    console = Console(file=io.StringIO(), width=80)
    print_scores(console, {}, NAMES, [])
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]  # its file is a StringIO


def test_the_decision_rule_has_a_line_of_its_own() -> None:
    rule = {f"val/decision/{metric}/{name}": 0.125 for metric in ("precision", "recall", "f1") for name in NAMES}
    rule |= {"val/decision/macro_f1": 0.625, "val/decision/macro_f1_low": 0.5, "val/decision/macro_f1_high": 0.75}
    text = shown(**rule)
    assert "validation macro-F1 0.5000  (95 % interval" in text
    assert "validation macro-F1 by the decision rule 0.6250  (95 % interval of the sample 0.5000 to 0.7500)" in text
    assert "Scores by class, validation, by the decision rule" in text and text.count("0.1250") == 9


def test_classes_with_few_or_no_spectra_are_named_next_to_the_score() -> None:
    assert "Few spectra" not in shown()
    text = shown(**{"test/num_spectra/star": 1, "test/num_spectra/a[0]": 0})
    assert "Few spectra in test: star (1). F1 of a class with fewer than 10 spectra is hardly known" in text
    assert "It is the mean over 2 of 3 classes: test has no a[0]." in text


def test_each_doubt_is_printed_once_at_the_end() -> None:
    members = [{"run": "a", "doubt": "Of two members."}, {"run": "b", "doubt": "Of two members."}, {"run": "c"}]
    text = shown(init={"doubt": "Of weights."}, distill={"doubt": "Of a teacher."}, ensemble={"members": members})
    assert text.splitlines()[-3:] == ["Note: Of weights.", "Note: Of a teacher.", "Note: Of two members."]
    assert "Note" not in shown(init={"folder": "x"}, distill=None, ensemble={"members": None})
