"""How every command ends: a user's mistake in one sentence, a bug with its traceback."""

import contextlib
import errno
import functools
import gc
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from spectral.cli.startup import EXIT_INTERRUPTED, raise_on_interrupt
from spectral.configs.messages import config_sentence
from spectral.configs.objective import check_number
from spectral.configs.search_sentences import axis_sentence
from spectral.errors import UserError, nearest

EXIT_MISTAKE = 2
NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)

# Of the only mistake on the command line, model=null, for which Hydra raises no exception of its own.
HYDRA_GROUP_ERROR = "Config group override must be"

# Several values without -m; spectral has no sweeps, but Hydra has.
SEVERAL_VALUES = re.compile(r"(?:Ambiguous value for argument|Sweep parameters) '(.*)'(?: requires --multirun)?$", re.M)
# What Hydra could not merge, as it was given.
ARGUMENT = re.compile(r"^(?:Error merging override |To append to your config use \+)(.*)$", re.M)
# A name that stands in a list where a group takes one: only there does Hydra not know of the others, or merges two.
LISTED_UNKNOWN = re.compile(r"In '(?:hydra/)?\w+': Could not load '(.+)/([^/]+)'")
LISTED_TWICE = re.compile(r"In 'hydra/typed/(\w+)/(\w+)': ValidationError raised while composing config")
# A key of a search whose yaml says nothing of the keys that every search has.
SEARCH_KEY = re.compile(r"sweep\.\w+")
# What a search bounds: a new key, which Hydra takes with a plus alone.
BOUND = re.compile(r"sweep\.constraints\.([^.]+)")


def run_command(main: Callable[[], Any]) -> None:
    """Call a Hydra main function and end the process as its outcome says."""
    # Hydra then raises instead of printing a trace of its own.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        raise_on_interrupt()
        main()
    except UserError as error:
        _end(str(error), EXIT_MISTAKE)
    except HydraException as error:
        _end(hydra_sentence(error), EXIT_MISTAKE)
    except ValueError as error:
        if not str(error).startswith(HYDRA_GROUP_ERROR):
            raise
        _end(f"{str(error).rstrip('.')}: a config group takes the name of a part, as in model=fcn.", EXIT_MISTAKE)
    except OSError as error:
        if error.errno in NOT_WRITABLE:
            _end(f"{error.filename} cannot be written: {error.strerror}.", EXIT_MISTAKE)
        # Hydra makes the job's folder; any other error of the file system is not about that.
        if traceback.extract_tb(error.__traceback__)[-1].name != "mkdir":
            raise
        _end(f"run_dir={error.filename} cannot be made: {error.strerror}.", EXIT_MISTAKE)
    except KeyboardInterrupt:
        _end("stopped.", EXIT_INTERRUPTED)


def as_job(main: Callable[[DictConfig], Any]) -> Callable[[DictConfig], Any]:
    """Decorate a Hydra main function, so that a user's mistake in it is one sentence without Hydra's line before it.

    In a multirun the mistake is raised, and Hydra's line tells of which job it is.
    """

    @functools.wraps(main)
    def guarded(config: DictConfig) -> Any:
        gc.enable()
        try:
            return main(config)
        except UserError as error:
            folder = Path(HydraConfig.get().runtime.output_dir)
            # Hydra has made it; beside run.py the commands have the user's own working directory here.
            if folder != Path.cwd():
                with contextlib.suppress(OSError):
                    folder.rmdir()  # only where it is empty: nothing began
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            return _end(str(error), EXIT_MISTAKE)

    return guarded


def hydra_sentence(error: HydraException) -> str:
    """One sentence for what Hydra found wrong with the command line or a config file.

    Raises:
        HydraException: the error itself, where it is not the user's.
    """
    cause = error.__cause__
    if isinstance(cause, UserError):  # raised by a plugin that Hydra made
        return str(cause)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name} is not known: {nearest(name, error.options)}."
    if isinstance(cause, OmegaConfBaseException):
        is_key = isinstance(cause, ConfigKeyError | ConfigAttributeError)
        if is_key and cause.object_type is dict and SEARCH_KEY.fullmatch(str(cause.full_key)):
            return f"{cause.full_key} is not a known key: the search's yaml lacks `defaults: [default, _self_]`."
        found = ARGUMENT.search(str(error))
        argument = found[1] if found else ""
        return (
            _unknown_bound(cause)
            or axis_sentence(cause, argument)
            or config_sentence(cause, _keys_beside(cause), argument=argument)
        )
    if isinstance(error, OverrideParseException):
        return f"{error.override} cannot be read as key=value: {str(error).splitlines()[0]}."
    if several := SEVERAL_VALUES.match(str(error)):
        return f"{several[1]} has several values, which need -m; a list stands in brackets, as in [1,2]."
    if listed := LISTED_UNKNOWN.match(str(error)) or LISTED_TWICE.match(str(error)):
        group, name = listed.groups()
        return f"{group} is given {name} in a list with others: it takes one name, as in {group}={name}."
    if cause is None or isinstance(cause, HydraException):
        told = str(error).partition("\nConfig search path:")[0]
        return f"{' '.join(told.split()).rstrip('.')}{_instead_of_deleting(str(error))}."
    raise error


def _instead_of_deleting(message: str) -> str:
    """Axes have dots in their names, which Hydra takes for levels: it finds none to delete."""
    axis = re.search(r"delete from config\. '\w+\.space\.(\S+)' does not exist", message)
    return f": to take an axis out of a search give it a value, as in {axis[1]}=VALUE" if axis else ""


def _unknown_bound(error: OmegaConfBaseException) -> str | None:
    """The sentence for a bound on a number that no run reports, which a plus would not mend; None for other errors."""
    bound, beside = BOUND.fullmatch(str(error.full_key)), error.parent_node
    # A program of one's own has numbers of its own.
    if not bound or beside is None or not str(beside._get_root().sweep.get("check")).startswith("spectral."):
        return None
    try:
        check_number(bound[1], bound[0])
    except UserError as mistake:
        return str(mistake)
    return None


def _keys_beside(error: OmegaConfBaseException) -> list[str]:
    return [str(key) for key in error.parent_node] if isinstance(error.parent_node, DictConfig) else []


def _end(sentence: str, code: int) -> NoReturn:
    print(f"error: {sentence}" if code == EXIT_MISTAKE else sentence, file=sys.stderr)
    sys.exit(code)
