"""The README says what the code does.

``python -m tests.test_readme`` prints the table of settings that belongs into it.
"""

import re
from pathlib import Path

from storage.settings import settings_rows

README = Path(__file__).parents[1] / "README.md"
TABLE = re.compile(r"<!-- settings: [^>]* -->\n(.*?)<!-- end of settings -->", re.DOTALL)


def table() -> str:
    """The settings as the README lists them."""
    rows = [
        f"| `{row.name}` | `{row.env}` | {f'`{row.default}`' if row.default else ''} | {row.doc} |"
        for row in settings_rows()
    ]
    head = ["| in `config.toml` | in the environment | default | what it is |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def test_settings_table_is_that_of_the_code() -> None:
    """Every setting stands in the README with its names, its default and its line."""
    found = TABLE.search(README.read_text("utf-8"))
    assert found
    assert found[1] == table()


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201
