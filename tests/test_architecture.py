"""docs/ARCHITECTURE.md, the import contracts and the folders are three accounts of one house: they must agree."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import documents

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tui" / "tcpladder"
ARCHITECTURE = ROOT / "docs" / "ARCHITECTURE.md"
TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "captures", "docs", "pyproject.toml",
    "screenshots", "tests", "tui",
}  # fmt: skip


def rooms() -> set[str]:
    """The packages of tcpladder."""
    return {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def modules() -> set[str]:
    """The files beside the rooms."""
    return {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


def table(heading: str) -> dict[str, list[str]]:
    """First cell -> the other cells, of the table below a heading; a room is written `room/`."""
    section = ARCHITECTURE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in rows}


def contracts() -> list[dict[str, Any]]:
    """The contracts of import-linter."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["tool"]["importlinter"]["contracts"])


def layers() -> list[set[str]]:
    """The layers, from the top of the house down."""
    (found,) = [contract["layers"] for contract in contracts() if contract["type"] == "layers"]
    return [set(layer.split(" | ")) for layer in found]


def test_the_document_has_every_room_and_no_other() -> None:
    """A new folder is a deliberate act: it is described, or it is not there."""
    described = {name.rstrip("/") for name in table("The rooms") if name.endswith("/")}
    assert described == rooms()


def test_the_document_has_every_file_beside_the_rooms() -> None:
    """`session.py`, `cli.py` …"""
    described = {name.removesuffix(".py") for name in table("The rooms") if name.endswith(".py")}
    assert described == modules()


def test_the_drawing_names_every_room() -> None:
    """The picture and the table show the same house."""
    drawing = ARCHITECTURE.read_text(encoding="utf-8").split("```")[1]
    assert set(re.findall(r"\b([a-z]+)/", drawing)) == rooms()


def test_the_layers_name_every_room_and_every_file() -> None:
    """import-linter's `exhaustive` says the same, but only where it is run."""
    assert set().union(*layers()) == rooms() | modules()


def test_the_document_lists_the_layers_in_the_order_of_the_contract() -> None:
    """Who may import whom is read off one line."""
    section = ARCHITECTURE.read_text(encoding="utf-8").split("\n## Who may import whom\n")[1]
    drawn = [set(re.findall(r"[a-z_]+", layer)) for layer in section.split("```")[1].split(">")]
    assert drawn == layers()


def test_every_contract_is_in_the_document() -> None:
    """By its name, as lint-imports prints it when it is broken."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert not [contract["name"] for contract in contracts() if contract["name"] not in text]


def test_pure_rooms_are_those_of_the_contract() -> None:
    """The table's third column says `pure` of the rooms that the contract keeps so, and of no other."""
    (core,) = [
        contract["source_modules"] for contract in contracts() if contract["name"].startswith("The core")
    ]
    described = {
        name.rstrip("/") for name, cells in table("The rooms").items() if cells[1].startswith("pure")
    }
    assert described == {module.removeprefix("tcpladder.") for module in core}


def test_the_source_root_is_not_a_package() -> None:
    """`import tui.tcpladder` would make a second copy of every class."""
    assert not (ROOT / "tui" / "__init__.py").exists()


def test_app_is_short() -> None:
    """The application object wires screens; it decides nothing."""
    assert len((PACKAGE / "app" / "app.py").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", documents.PAGES, ids=lambda path: path.name)
def test_pages_made_from_the_code_are_up_to_date(path: Path) -> None:
    """`make docs` was run after the table changed."""
    assert path.read_text(encoding="utf-8") == documents.PAGES[path]()


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    """Every relative link and picture exists."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_nothing_else_lies_at_the_top() -> None:
    """Of what git would add, only these names."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    names = {path.name for path in ROOT.iterdir()} - {".git"}
    assert {name for name in names if not any(fnmatch(name, pattern) for pattern in ignored)} <= TOP_LEVEL


def test_layers_are_disjoint() -> None:
    """A room stands on one floor."""
    assert all(not upper & lower for upper, lower in pairwise(layers()))
