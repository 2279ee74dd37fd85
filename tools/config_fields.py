"""What the config dataclasses and the yaml files say of each key: type, default, what is allowed, and the comment."""

import ast
import dataclasses
import functools
import inspect
import itertools
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from spectral.configs.fields import Range

CONF = Path(__file__).resolve().parents[1] / "conf"
WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
KEY_LINE = re.compile(r"(\w+):(?: [^#]*| \$\{.*\})?(?:# (.*))?$")  # of a yaml, at the top level


@dataclasses.dataclass(frozen=True)
class Option:
    """One row of the reference."""

    key: str
    kind: str
    default: str
    allowed: str
    meaning: str


def options(
    config: type, prefix: str, yaml: Path | None = None, left_out: Mapping[str, Any] | None = None
) -> list[Option]:
    """The options of a config dataclass.

    Args:
        prefix: of the keys, such as "model.".
        yaml: of the part, relative to conf/: its values take the place of the dataclass's defaults.
        left_out: name -> default; an option of that name and that default is left out.
    """
    stated = values_of(yaml) if yaml else {}
    comments = (yaml_comments(yaml) if yaml else {}) | field_comments(config)
    found = []
    for field in dataclasses.fields(config):
        default = stated.get(field.name, default_of(field))
        is_known = field.name in (left_out or {}) and (left_out or {})[field.name] == default
        if not is_known and field.name != "_target_":  # that names a launcher's class
            kind, allowed = kind_of(field), allowed_of(field.metadata)
            found.append(Option(prefix + field.name, kind, shown(default), allowed, comments.get(field.name, "")))
    return found


def default_of(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        made = field.default_factory()
        return dataclasses.asdict(made) if dataclasses.is_dataclass(made) and not isinstance(made, type) else made
    return field.default


def kind_of(field: "dataclasses.Field[Any]") -> str:
    """The type of a field in words."""
    return "number for each class" if field.metadata.get("by_class") else _words(field.type)


def _words(kind: Any) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_words(part) for part in arguments if part is not type(None)) + " or null"
    if origin is list:
        words = _words(arguments[0])
        return "list" if words in ("text", "any") else f"list of {words}s"
    if origin is dict or dataclasses.is_dataclass(kind):
        return "mapping"
    return WORDS.get(kind, "any")


def allowed_of(metadata: Mapping[str, Any]) -> str:
    """What the metadata of a field allows, in words."""
    bounds = metadata.get("range") or (Range(**metadata["bounds"]) if metadata.get("bounds") else None)
    num_least = 1 if "by_class" in metadata else metadata.get("min_items", 1)
    said = [
        ", ".join(f"`{word}`" for word in metadata.get("allowed", ())),
        "`auto`, `cpu`, `mps`, `cuda`, `cuda:1`" if metadata.get("device") else "",
        str(bounds) if bounds and bounds != Range() else "",
        f"{num_least} values or more" if num_least > 1 else "",
        "they sum to 1" if metadata.get("sum_to_1") else "",
        {"folder": "a folder that exists", None: ""}.get(metadata.get("path"), "a file that exists"),
    ]
    return "; ".join(filter(None, said))


def shown(value: Any) -> str:
    """A value as the command line has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if value == "???" or value is dataclasses.MISSING:
        return ""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(element)}" for key, element in value.items()) + "}"
    return str(value)


def values_of(yaml: Path) -> dict[str, Any]:
    """What a yaml sets, as plain values; `defaults` is what it is composed of."""
    return typing.cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(CONF / yaml)))


@functools.cache
def field_comments(config: type) -> dict[str, str]:
    """Field -> the comment behind it, on the last line of its definition."""
    found: dict[str, str] = {}
    for kind in reversed(config.__mro__[:-1]):
        source = inspect.getsource(kind)
        (definition,) = ast.parse(source).body
        assert isinstance(definition, ast.ClassDef)
        for node in definition.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.end_lineno:
                _, _, comment = source.splitlines()[node.end_lineno - 1][node.end_col_offset :].partition("#")
                if comment:
                    found[node.target.id] = comment.strip()
    return found


@functools.cache
def yaml_comments(yaml: Path) -> dict[str, str]:
    """Key -> the comment behind it, or else the one above it, which holds for all keys up to the next."""
    found: dict[str, str] = {}
    above: list[str] = []
    is_open = False  # whether the comment above still grows
    lines = (CONF / yaml).read_text(encoding="utf-8").splitlines()
    for line in itertools.dropwhile(lambda line: line.startswith("#"), lines):  # the first comment is of the whole file
        if line.startswith("# "):
            above = [*(above if is_open else []), line[2:].partition("   docs/")[0]]
        elif not line:
            above = []
        elif key := KEY_LINE.match(line):
            found[key[1]] = (key[2] or " ".join(above)).partition("   docs/")[0]
        is_open = line.startswith("# ")
    return {key: meaning for key, meaning in found.items() if meaning}


def header_of(yaml: Path) -> str:
    """The sentences with which a yaml begins, without the commands."""
    lines = [line for line in (CONF / yaml).read_text(encoding="utf-8").splitlines() if not line.startswith("# @")]
    comment = itertools.takewhile(lambda line: line.startswith("# ") and not line.startswith("#   "), lines)
    text, _, _ = " ".join(line[2:] for line in comment).partition("   ")
    return text[: text.rindex(".") + 1]
