"""What is wrong in a yaml file that Hydra composes, such as an experiment of the user's own in `--config-dir`."""

import itertools
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException
from yaml import MarkedYAMLError

from spectral.configs.messages import config_sentence
from spectral.errors import UserError

CONF = Path(__file__).parents[2] / "conf"
HOW = "`defaults: [override /{}: {}]`"
EXAMPLE = HOW.format("model", "fcn")
PACKAGE = "the first line of the file has to be `# @package _global_`"
# Hydra's words for a mistake in a file of a group.
IN_FILE = re.compile(r"In '(?P<file>(?!hydra/)(?P<group>[^'/]+)/[^']+)': (?P<what>.*)")
NO_PART = re.compile(r"Could not (?:load|find) '(?P<path>.+)'")
NO_GROUP = re.compile(r"Could not override '(?P<group>[^'@]+)(?:@[^']+)?'\.(?P<none> No match)?")
NO_MAPPING = re.compile(r"Merge error: (\w+) is not a subclass of (\w+)\. value: (.*)")
TWICE = re.compile(r"Multiple values for (?P<group>\S+)\. To override a value use 'override \S+: (?P<name>\S+)'")
NO_LIST = re.compile(r"(?:Invalid defaults list in '|In )(?P<file>\w[\w/-]*)(?:', defaults must be|: Too many keys in)")


def refuse_taken_names(arguments: Sequence[str]) -> None:
    """Raise UserError for a file in `--config-dir` in whose place Hydra would take Spectral's of that name."""
    given = itertools.chain.from_iterable(argument.split("=", 1) for argument in arguments)
    folders = [Path(folder) for option, folder in itertools.pairwise(given) if option in ("--config-dir", "-cd")]
    for own, file in ((folder / file.relative_to(CONF), file) for folder in folders for file in CONF.rglob("*.yaml")):
        if own.is_file() and own.read_bytes() != file.read_bytes():
            raise UserError(f"{own} has the name of a file of Spectral, which would be taken: give it another name.")


def file_sentence(error: HydraException) -> str | None:
    """The sentence for a mistake in a yaml file of a group; None for other mistakes."""
    if twice := TWICE.match(str(error)):
        return _of_two_choices(*twice.groups())
    if not (found := IN_FILE.match(str(error))):
        return None
    cause = error.__context__  # Hydra raises its own without a cause
    if isinstance(cause, OmegaConfBaseException):
        sentence = _of_keys(found["group"], cause)
    else:
        sentence = _of_defaults(found["group"], found["what"])
    return sentence and f"{found['file']}.yaml: {sentence}"


def defaults_sentence(error: ValueError) -> str | None:
    """The sentence for a defaults list that is none; None for other errors."""
    if not (found := NO_LIST.match(str(error))):
        return None
    return f"{found['file']}.yaml: its defaults are no list of single choices, such as {EXAMPLE}."


def yaml_sentence(error: MarkedYAMLError) -> str | None:
    """The sentence for a file that is no yaml, with the line; None if the error is about no file."""
    mark = error.problem_mark
    return f"{mark.name}, line {mark.line + 1}: {error.problem}." if mark and Path(mark.name).is_file() else None


def unreadable_sentence(error: UnicodeDecodeError | RecursionError) -> str | None:
    """The sentence for a file that is not UTF-8, or takes itself as its default; None if the error is about no file."""
    if isinstance(error, UnicodeDecodeError):
        file = _within(error, "load_config", "full_path")
        return file and f"{file} is not UTF-8: save it in this encoding."
    file = _within(error, "_create_defaults_tree_impl", "path")
    return file and f"{file}.yaml: its defaults lead back to the file itself: leave out the one that does."


def _within(error: BaseException, function: str, variable: str) -> str | None:
    """The value that a variable had in the innermost call of a function of Hydra, whose errors do not name the file."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == function]
    return next((frame.f_locals[variable] for frame in reversed(frames) if variable in frame.f_locals), None)


def _of_two_choices(group: str, name: str) -> str:
    if added := [argument for argument in sys.argv[1:] if argument.startswith(f"+{group}=")]:
        return f"{group} is chosen a second time by {added[0]}: write {added[0].removeprefix('+')}."
    return f"{group} is chosen by two files: to replace the choice write {HOW.format(group, name)}."


def _of_keys(group: str, error: OmegaConfBaseException) -> str | None:
    if isinstance(error, ConfigKeyError) and error.full_key == group:
        return f"{group} is not a known key: {PACKAGE}, and another file of its group is taken by `defaults: [NAME]`."
    if error.key is None:
        return _of_mapping(error)
    return config_sentence(error, [str(key) for key in error.parent_node or ()])


def _of_mapping(error: OmegaConfBaseException) -> str | None:
    """The sentence for a mapping of the config that a file sets to something else."""
    found, config = NO_MAPPING.match(str(error)), error.parent_node
    if not found or not isinstance(config, DictConfig):
        return None
    given, kind, value = found.groups()
    key = next(
        (key for key in map(str, config) if getattr(OmegaConf.get_type(config, key), "__name__", "") == kind), ""
    )
    if given == "str":
        return f"{key}={value} chooses no part: write {HOW.format(key, value)}."
    return f"{key}={value} has the wrong type: allowed is a mapping, such as {{a: 1}}."


def _of_defaults(group: str, what: str) -> str | None:
    """The sentence for a defaults list that names what is not there, in a file of a group."""
    if other := NO_GROUP.match(what):
        name = other["group"].removeprefix(f"{group}/")
        if not other["none"]:
            return f"its choices count below {group}: {PACKAGE}."
        if name != other["group"]:
            return f"a choice of another group begins with a slash: write {HOW.format(name, 'NAME')}."
        return f"override /{name} is no choice of this command: --help lists its groups."
    if part := NO_PART.match(what):
        return f"its defaults name {part['path']}, which is not there: a part of a group is chosen as in {EXAMPLE}."
    return None
