"""The commands on the pages and in the comments of yaml files."""

import re

from small_runs import REPOSITORY

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
