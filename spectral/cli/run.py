"""How every command ends: a user's mistake in one sentence, a bug with its traceback."""

import contextlib
import functools
import gc
import itertools
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationResolutionError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)
from yaml import MarkedYAMLError

from spectral.cli.composed_files import (
    defaults_sentence,
    file_sentence,
    refuse_taken_names,
    unreadable_sentence,
    yaml_sentence,
)
from spectral.cli.config_groups import register_groups_resolver
from spectral.cli.startup import EXIT_INTERRUPTED, raise_on_interrupt
from spectral.configs.messages import config_sentence
from spectral.configs.pasted_overrides import pasted_correction
from spectral.control_characters import make_output_printable
from spectral.errors import UserError, nearest, os_error_sentence

EXIT_MISTAKE = 2
INTERPOLATION = (InterpolationKeyError, InterpolationResolutionError, UnsupportedInterpolationType)

# Messages of the mistakes on the command line, model=null and -m --cfg, for which Hydra raises no exception of its own.
HYDRA_GROUP_ERROR, HYDRA_MODES_ERROR = "Config group override must be", "Only one of --run, --multirun"
EXCLUSIVE_MODES = "-m, --run, --cfg and --info exclude one another: without -m, --cfg shows the config of a search too."
INFO = ("--info", "-i")

# Several values for one run.
SEVERAL_VALUES = re.compile(r"(?:Ambiguous value for argument|Sweep parameters) '(.*)'(?: requires --multirun)?$", re.M)
# The argument that Hydra could not merge, as the user gave it.
ARGUMENT = re.compile(r"^(?:Error merging override |To append to your config use \+)(.*)$", re.M)
# A list of names for a group that takes one name: Hydra then loads an unknown name, or merges two parts.
LISTED_UNKNOWN = re.compile(r"In '(?:hydra/)?\w+': Could not load '(.+)/([^/]+)'")
LISTED_TWICE = re.compile(r"In 'hydra/typed/(\w+)/(\w+)': ValidationError raised while composing config")
# A group that other commands have and this one has not.
NO_SUCH_GROUP = re.compile(r"Could not override '([^'@]+)'\.?\s+No match in the defaults list")
# Gives the program's own message for a mistake that Hydra found; None for other mistakes.
Explain = Callable[[HydraException], str | None]


def nothing_more(_error: HydraException) -> str | None:
    """The Explain of a program that has no messages of its own."""
    return None


def run_command(main: Callable[[], Any], explain: Explain = nothing_more) -> None:
    """Call a Hydra main function, and end the process with a message and exit code that fit its outcome.

    Args:
        explain: gives the program's own message for a mistake; asked first.
    """
    # With this variable Hydra raises the exception; without it, it prints a trace of its own.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    make_output_printable()
    register_groups_resolver()
    sys.argv[1:] = overrides_last(sys.argv[1:])
    try:
        raise_on_interrupt()
        refuse_taken_names(sys.argv[1:])
        with _one_config_store():
            main()
    except UserError as error:
        _end(str(error), EXIT_MISTAKE)
    except HydraException as error:
        _end(hydra_sentence(error, explain), EXIT_MISTAKE)
    except INTERPOLATION as error:  # before ValueError, of which they are
        _end(interpolation_sentence(error), EXIT_MISTAKE)
    except MarkedYAMLError as error:
        if sentence := yaml_sentence(error):
            _end(sentence, EXIT_MISTAKE)
        raise
    except (UnicodeDecodeError, RecursionError) as error:  # before ValueError, of which the first is
        if sentence := unreadable_sentence(error):
            _end(sentence, EXIT_MISTAKE)
        raise
    except ValueError as error:
        if sentence := defaults_sentence(error):
            _end(sentence, EXIT_MISTAKE)
        if str(error).startswith(HYDRA_MODES_ERROR):
            _end(EXCLUSIVE_MODES, EXIT_MISTAKE)
        if not str(error).startswith(HYDRA_GROUP_ERROR):
            raise
        _end(f"{str(error).rstrip('.')}: a config group takes the name of a part, as in model=fcn.", EXIT_MISTAKE)
    except OSError as error:
        if sentence := os_error_sentence(error):
            _end(sentence, EXIT_MISTAKE)
        # Hydra makes the job's folder; any other error of the file system is not about that.
        if traceback.extract_tb(error.__traceback__)[-1].name != "mkdir":
            raise
        _end(f"run_dir={error.filename} cannot be made: {error.strerror}.", EXIT_MISTAKE)
    except KeyboardInterrupt:
        _end("stopped.", EXIT_INTERRUPTED)


def overrides_last(arguments: Sequence[str]) -> list[str]:
    """Hydra's options before the overrides: it takes an override that follows an option for an unknown argument.

    After a plain `--info` it would take an override for what to show.
    """
    ordered = sorted(arguments, key=_is_override)
    return [
        "--info=all" if argument in INFO and (_is_override(after) or after.startswith("-")) else argument
        for argument, after in itertools.pairwise([*ordered, "-"])
    ]


def _is_override(argument: str) -> bool:
    return not argument.startswith("-") and ("=" in argument or argument[:1] in ("+", "~"))


@contextlib.contextmanager
def _one_config_store() -> Iterator[None]:
    """Keep Hydra from copying all typed configs for each config group that --help lists, which takes seconds.

    It copies its repository of configs before it changes the search path, and with it the store, which it only reads.
    """
    ConfigStore.__deepcopy__ = lambda store, _memo: store  # type: ignore[attr-defined]  # a method that it may have
    try:
        yield
    finally:
        del ConfigStore.__deepcopy__  # type: ignore[attr-defined]  # as above


def _without_interpolation_errors(main: Callable[[DictConfig], Any], config: DictConfig) -> Any:
    """Call a main function; a ${...} without a value is a mistake of the user."""
    try:
        return main(config)
    except INTERPOLATION as error:
        raise UserError(interpolation_sentence(error)) from error


def interpolation_sentence(error: OmegaConfBaseException) -> str:
    """The sentence for a ${...} that stands for no value."""
    parts = str(error).splitlines()[0].partition("resolving interpolation: ")
    reason = (parts[2] or parts[0]).strip("\"'").rstrip(".")
    reason = "it refers to itself" if "ecursi" in reason else reason[:1].lower() + reason[1:]
    # Not resolved: the override itself is what has no value.
    given: Any = OmegaConf.to_container(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    own = next((override.partition("=")[0] for override in given if "${" in override), "a key")
    return f"{error.full_key or own} holds an interpolation, ${{...}}, that has no value: {reason}."


def as_job(main: Callable[[DictConfig], Any]) -> Callable[[DictConfig], Any]:
    """Decorate a Hydra main function, so that a user's mistake is shown as one sentence, without Hydra's line above it.

    In a multirun the mistake is raised, and Hydra's line names the job.
    """

    @functools.wraps(main)
    def guarded(config: DictConfig) -> Any:
        gc.enable()
        try:
            return _without_interpolation_errors(main, config)
        except UserError as error:
            folder = Path(HydraConfig.get().runtime.output_dir)
            # Hydra made this folder. For commands other than run.py it is the user's working directory.
            # With hydra.job.chdir=true the working directory may be gone by now.
            with contextlib.suppress(OSError):
                if folder != Path.cwd():
                    folder.rmdir()  # removes it only if it is empty: nothing has begun
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            return _end(str(error), EXIT_MISTAKE)

    return guarded


def hydra_sentence(error: HydraException, explain: Explain = nothing_more) -> str:
    """One sentence that says what is wrong with the command line or a config file.

    Args:
        explain: as in run_command.

    Raises:
        HydraException: the error itself, if it is not a mistake of the user.
    """
    cause = error.__cause__
    if isinstance(cause, UserError):  # raised by a plugin that Hydra made
        return str(cause)
    if sentence := explain(error):
        return sentence
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name} is not known: {nearest(name, error.options)}."
    if isinstance(cause, OmegaConfBaseException):
        return config_sentence(cause, _sibling_keys(cause), argument=merged_argument(error))
    if isinstance(error, OverrideParseException):
        return f"{error.override} cannot be read as key=value: {_what_is_wrong(error)}."
    if argument := argument_of_several_values(error):
        return f"{argument} has several values: write a list in brackets, as in [1,2]."
    if listed := LISTED_UNKNOWN.match(str(error)) or LISTED_TWICE.match(str(error)):
        group, name = listed.groups()
        return f"{group} is given {name} in a list with others: it takes one name, as in {group}={name}."
    if other := NO_SUCH_GROUP.match(str(error)):
        return f"{other[1]} is not a known key of this command, though of another one: --help lists its keys."
    if sentence := file_sentence(error):
        return sentence
    if cause is None or isinstance(cause, HydraException):
        return f"{hydras_own_words(error)}."
    raise error


def _what_is_wrong(error: OverrideParseException) -> str:
    """Why an override cannot be read, or what to write in its place."""
    if "=" not in error.override:
        return "it has no ="
    if corrected := pasted_correction(error.override):
        return f"write {corrected}"
    return str(error).removeprefix(f"Error parsing override '{error.override}'\n").splitlines()[0].rstrip(".")


def merged_argument(error: HydraException) -> str:
    """The argument that Hydra could not merge, as written on the command line; empty if the error names none."""
    found = ARGUMENT.search(str(error))
    return found[1] if found else ""


def argument_of_several_values(error: HydraException) -> str:
    """The argument that gives one run several values; empty for other errors."""
    found = SEVERAL_VALUES.match(str(error))
    return found[1] if found else ""


def hydras_own_words(error: HydraException) -> str:
    """Hydra's message on one line, without the full stop."""
    return " ".join(str(error).partition("\nConfig search path:")[0].split()).rstrip(".")


def _sibling_keys(error: OmegaConfBaseException) -> list[str]:
    return [str(key) for key in error.parent_node] if isinstance(error.parent_node, DictConfig) else []


def _end(sentence: str, code: int) -> NoReturn:
    print(f"error: {sentence}" if code == EXIT_MISTAKE else sentence, file=sys.stderr)
    sys.exit(code)
