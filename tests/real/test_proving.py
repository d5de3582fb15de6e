"""`lab --all`: what came of each experiment, in every format, and its exit code."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree as ET

import pytest

from tcpladder import proving
from tcpladder.errors import ExitCode, PermissionRefused

pytestmark = pytest.mark.real("nft")


@pytest.fixture(autouse=True)
def only_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quickest; the others are run by test_experiments.py."""
    monkeypatch.setattr(proving, "names", lambda: ("refused",))


def test_a_kernel_that_keeps_its_timers(capsys: pytest.CaptureFixture[str]) -> None:
    assert proving.prove(form="junit") == ExitCode.DONE
    said = capsys.readouterr()
    suite = ET.fromstring(said.out)
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    (case,) = suite.iter("testcase")
    assert case.get("name") == "refused"
    kernel = next(suite.iter("property")).get("value") or ""
    assert os.uname().release in kernel
    assert "keeps its timers: 1 of 1 experiments as expected" in said.err


@pytest.mark.parametrize("form", ["text", "jsonl", "junit"])
def test_one_that_does_not(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "refused: 2 syn from the client, expected 1"
    command = ("sh", "-c", f"echo 'tcpladder: {said}' >&2; exit 1")
    monkeypatch.setattr(proving, "_TCPLADDER", command)
    assert proving.prove(form=form) == ExitCode.NO
    out = capsys.readouterr().out
    assert "2 syn from the client, expected 1" in out
    if form == "jsonl":
        assert json.loads(out)["held"] is False
    if form == "junit":
        assert ET.fromstring(out).get("failures") == "1"
    if form == "text":
        assert out.startswith("NO  refused")


def test_where_nobody_may_run_them_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment then shows the capture that ships, and its exit code is that of a success."""
    command = ("sh", "-c", "echo 'tcpladder: user namespaces are forbidden here' >&2; exit 0")
    monkeypatch.setattr(proving, "_TCPLADDER", command)
    with pytest.raises(PermissionRefused, match="user namespaces are forbidden here"):
        proving.prove(form="text")
