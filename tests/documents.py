"""The pages of docs/ that are made from the code. `python tests/documents.py` writes them, a test compares them."""

from __future__ import annotations

from pathlib import Path

from tcpladder.analysis.kinds import KINDS, PROBES, RETRANSMISSIONS, Kind

ROOT = Path(__file__).resolve().parent.parent

KINDS_HEAD = """# What a segment can be

Made by `make docs` from `tui/tcpladder/analysis/kinds.py`; a test holds the two together. The word is what `kind` says
in JSON lines, the label is what stands on the rung (numbers are added there: `keepalive probe 2/3`, `data 79`). The
first rule that fits from the special to the general decides; every rung says in its `because` which numbers were
compared.
"""


def kinds_table() -> list[str]:
    """One line a kind."""
    lines = ["| kind | label | when | source |", "|---|---|---|---|"]
    for kind in Kind:
        rule = KINDS[kind]
        lines.append(f"| `{rule.word}` | {rule.label} | {rule.rule} | {rule.source} |")
    return lines


def words(kinds: frozenset[Kind]) -> str:
    """The words of some kinds, in the order of the table."""
    return ", ".join(f"`{KINDS[kind].word}`" for kind in sorted(kinds))


def kinds_page() -> str:
    """docs/KINDS.md."""
    counted = [
        "The list of flows counts these as retransmissions: " + words(RETRANSMISSIONS) + ".",
        "These ask whether the peer is still there: " + words(PROBES) + ".",
    ]
    return "\n".join([KINDS_HEAD, *kinds_table(), "", *(f"{line}\n" for line in counted)])


PAGES = {ROOT / "docs" / "KINDS.md": kinds_page}
"""Where each page is, and what makes it."""


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
