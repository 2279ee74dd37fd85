"""What puts the scores of a run in doubt, as its result.json keeps it."""

from collections.abc import Iterator, Mapping
from typing import Any

DOUBT = "doubt"  # key of what a run took from elsewhere: a sentence, absent if there is none
SOURCES = "init", "distill"  # keys of result.json


def doubts_of(result: Mapping[str, Any]) -> list[str]:
    """Sentences on the weights that a run began with, on its teacher, and on those of an ensemble's members; each once.

    Args:
        result: as result.json holds it.
    """
    made = result.get("ensemble")
    members = made.get("members") if isinstance(made, Mapping) else None
    found = _doubts([*map(result.get, SOURCES), *(members if isinstance(members, list) else [])])
    return list(dict.fromkeys(found))


def _doubts(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get(DOUBT):
            yield str(entry[DOUBT])
