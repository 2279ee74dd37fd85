"""The commands on the pages and in the comments of yaml files."""

import itertools
import re
import shlex

from small_runs import REPOSITORY

SETS_VARIABLE = re.compile(r"[A-Z_]+=")  # of the environment, before a command
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "benchmarks" / "README.md"]
PAGES += sorted((REPOSITORY / "docs").glob("*.md"))
YAMLS = sorted((REPOSITORY / "conf").rglob("*.yaml"))
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
INLINE = re.compile(r"`((?:python|make) [^`\n]+)`")
IN_YAML = re.compile(r"\b(python (?:run\.py|-m \w).*?)(?=`|;|\s{3}|$)", re.M)


def joined(text: str) -> str:
    """The text with each command on one line that a backslash continues on the next."""
    return re.sub(r"\\\n#? *", "", text)


def found_commands() -> dict[str, str]:
    """Command -> the place where it is first written."""
    found: dict[str, str] = {}
    for page in PAGES:
        text = joined(page.read_text())
        lines = [line for block in FENCED.finditer(text) if not block[1] for line in block[2].splitlines()]
        for line in [*lines, *INLINE.findall(FENCED.sub("", text))]:
            if line.strip():
                found.setdefault(line.partition(" #")[0].strip(), page.name)
    for path in YAMLS:
        for command in IN_YAML.findall(joined(path.read_text())):
            found.setdefault(command.strip(), path.name)
    return found


FOUND = found_commands()

# A number or a path, for which another one does as well.
ANY_VALUE = re.compile(r"=(?:[\d.,e+-]+|[^{(\[]*[./][^{(\[]*)$")


def is_of_a_yaml(words: list[str]) -> bool:
    """Whether a run chooses one part alone: that each yaml composes is tested in tests/configs/test_yaml_files.py."""
    chosen = words[2].replace("=", "/") if len(words) == 3 and words[1] == "run.py" else ""
    return bool(chosen) and (REPOSITORY / "conf" / f"{chosen}.yaml").is_file()


def first_of_kind(commands: list[str]) -> set[str]:
    """Commands with a word that no command of the same program before them has, but for numbers and paths."""
    first, seen = set(), set[tuple[tuple[str, ...], str]]()
    for command in commands:
        words = [*itertools.dropwhile(SETS_VARIABLE.match, shlex.split(command))]
        program = tuple(words[:3] if "-m" in words else words[:2])
        new = {(program, ANY_VALUE.sub("=", word)) for word in words} - seen
        if new and not is_of_a_yaml(words):
            first.add(command)
            seen |= new
    return first
