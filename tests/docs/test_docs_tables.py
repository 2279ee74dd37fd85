"""Tables of the documentation pages."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("page", sorted((REPOSITORY / "docs").glob("*.md")), ids=lambda page: page.name)
def test_no_row_of_a_docs_page_is_outside_its_table(page: Path) -> None:
    for block in page.read_text().split("\n\n"):
        lines = block.splitlines()
        rows = [i for i, line in enumerate(lines) if line.startswith("|")]
        if rows:
            assert lines[rows[0] + 1].startswith("|---"), lines[rows[0]]
            assert rows == list(range(rows[0], rows[-1] + 1)), block
