"""Overrides of a sentence, as a shell and then Hydra read them."""

import shlex
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from spectral.configs.pasted_overrides import pasted_correction, pasted_list, pasted_nulls, pasted_text


def read_back(text: str) -> Any:
    (word,) = shlex.split(text)
    return OverridesParser.create().parse_override(word).value()


NAMES = [
    "star",
    "alpha quartz",
    "cal, cite",
    "a: b",
    "[Fe/H] {x}",
    "back\\slash",
    "null",
    "2.50",
    "\u03b2-Fe\u2082",
    " a",
    "O'Neill",
    'the "odd" one',
]
NO_KEYS = ["null", "2.50", "\u03b2-Fe\u2082", "O'Neill", 'the "odd" one']  # Hydra cannot read them in a mapping


def test_names_are_read_back_as_they_are() -> None:
    found = read_back(pasted_list("data.class_names", NAMES))
    assert [getattr(name, "text", name) for name in found] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_read_back_as_they_are(name: str) -> None:
    text = pasted_nulls("data.class_map", [name, "other"])
    assert text is None or read_back(text) == {name: None, "other": None}
    assert (text is None) == (name in NO_KEYS)


def test_plain_names_have_no_quotes_of_their_own() -> None:
    assert pasted_list("data.class_names", ["star", "qso"]) == "'data.class_names=[star,qso]'"


@pytest.mark.parametrize("name", [*NAMES, "outputs/runs/a", "a (1)=2.npz", "a,b", "\u00e9t\u00e9", "", "~/a", "${a}"])
def test_a_text_is_read_back_as_it_is(name: str) -> None:
    assert read_back(pasted_text("run_dir", name)) == name


@pytest.mark.parametrize(
    ("given", "correction"),
    [
        ("data.path=\u00e9t\u00e9.npz", "'data.path=\"\u00e9t\u00e9.npz\"'"),
        ("+a=spectra (1).npz", "'+a=\"spectra (1).npz\"'"),
        ("stages[0].loss[1]=x=y", "'stages.0.loss.1=\"x=y\"'"),
        ("stages[0].lr=1e-3", "stages.0.lr=1e-3"),
        *((given, None) for given in ("a=[1", "a={b:1", "a=interval(1", "a='b", "a", "stages[0]", "\u00e9=1")),
        *((given, None) for given in ("a=loguniform(1)", "a=loguniform(1,2)", "a=\u00e91.npz,\u00e92.npz")),
    ],
)
def test_what_cannot_be_read_is_corrected_if_it_is_clear_what_was_meant(given: str, correction: str | None) -> None:
    assert pasted_correction(given) == correction
