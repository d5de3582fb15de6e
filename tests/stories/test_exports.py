"""Captures in every format, held against files that a person has looked at, and against each other."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from rooms.ladder.diagrams import CAPTURES, exported
from tcpladder import __version__
from tcpladder.ladder.privacy import Mask
from tcpladder.render.formats import SUFFIXES, Format

GOLDEN = Path(__file__).with_name("golden")
TEXTS = [form for form in Format if form is not Format.PNG]
PAGES = {Format.HTML: {"keepalive"}}
"""The page is mostly its own style and script: one is enough."""
KEPT = [(name, form) for name, form in product(CAPTURES, TEXTS) if form not in PAGES or name in PAGES[form]]


@pytest.mark.parametrize(("name", "form"), KEPT, ids=lambda value: str(value))
def test_an_export_is_as_it_was_looked_at(name: str, form: Format) -> None:
    """TCPLADDER_WRITE_GOLDEN=1 writes it anew, to be opened with its program before it is committed."""
    text = exported(CAPTURES[name], form).replace(f"tcpladder {__version__}", "tcpladder 0")
    path = GOLDEN / f"{name}{SUFFIXES[form][0]}"
    if os.environ.get("TCPLADDER_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("form", TEXTS)
def test_every_format_says_where_it_came_from(form: Format) -> None:
    text = exported(CAPTURES["keepalive"], form, rungs=(6, 15))
    text = re.sub(r"\s*\n {10,}", " ", text)  # what the text format folds
    for said in (
        "keepalive.pcap",
        f"tcpladder {__version__}",
        "6-15 of 15",
        "2026-11-22 05:55:03.740608838 UTC",
    ):
        assert said in text or form is Format.JSON
    assert "keepalive_time 3 s (inferred), keepalive_intvl 1 s (inferred), keepalive_probes 3" in text
    assert "127.0.0.1:22345" in text
    if form is Format.JSON:
        header = json.loads(text)[0]
        assert (header["source"], header["made_by"]) == ("keepalive.pcap", f"tcpladder {__version__}")
        assert (header["rungs"], header["first_segment"]) == ([6, 15], "2026-11-22 05:55:03.740608838 UTC")


@pytest.mark.parametrize("form", TEXTS)
def test_a_mask_leaves_no_address(form: Format) -> None:
    text = exported(CAPTURES["ipv6"], form, mask=Mask(ports=True))
    assert not re.search(r"fd00|41200|8300", text)
    assert "[2001:db8::1]:1" in text
    assert "[2001:db8::2]:2" in text
    assert "addresses and ports" in text


@pytest.mark.parametrize("form", TEXTS)
def test_a_mask_without_ports_leaves_the_ports(form: Format) -> None:
    text = exported(CAPTURES["keepalive"], form, mask=Mask())
    assert "127.0.0.1" not in text
    assert "192.0.2.1:22345" in text
    assert "192.0.2.1:12345" in text  # one machine has one stand-in


def test_a_mask_changes_nothing_that_was_judged() -> None:
    """Whether an end is remote, whose timers they are: decided by the addresses, never by their stand-ins."""
    masked = json.loads(exported(CAPTURES["keepalive"], Format.JSON, mask=Mask()))
    bare = json.loads(exported(CAPTURES["keepalive"], Format.JSON))
    for record in (*masked, *bare):
        for key in ("client", "server", "src", "dst", "masked"):
            record.pop(key, None)
    assert masked == bare


def test_json_holds_what_json_lines_hold() -> None:
    capture = CAPTURES["ipv6"]
    shown = subprocess.run(
        [sys.executable, "-m", "tcpladder", "show", "--format", "jsonl", str(capture)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    header, *records = json.loads(exported(capture, Format.JSON))
    assert header["record"] == "export"
    assert records == [json.loads(line) for line in shown.stdout.splitlines()]


def test_csv_holds_what_json_holds() -> None:
    capture = CAPTURES["keepalive"]
    lines = exported(capture, Format.CSV).splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    _, *records = json.loads(exported(capture, Format.JSON))
    assert len(rows) == len(records) == 15
    for number, (row, record) in enumerate(zip(rows, records, strict=True), 1):
        gap = record.pop("gap") or dict.fromkeys(
            ("observed_ns", "expected_ns", "since_frame", "timer", "verdict", "origin")
        )
        assert row["rung"] == str(number)
        for key in (
            "flow",
            "file",
            "frame",
            "time_ns",
            "src",
            "dst",
            "kind",
            "because",
            "seq",
            "ack",
            "length",
        ):
            assert row[key] == ("" if record[key] is None else str(record[key])), key
        for key, value in gap.items():
            assert row[f"gap_{key}"] == ("" if value is None else str(value)), key


def test_csv_has_the_columns_of_the_document() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "EXPORT.md").read_text(encoding="utf-8")
    table = page.split("\n## csv\n")[1].split("\n## ")[0]
    documented = [
        name for cell in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", cell)
    ]
    header = next(line for line in exported(CAPTURES["keepalive"], Format.CSV).splitlines() if line[0] != "#")
    assert header.split(",") == documented
