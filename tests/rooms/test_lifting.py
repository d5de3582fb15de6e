"""`fault lift --all` and `fault list` where one of several instances does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from rooms.app.scripted import fault_state
from tcpladder import lifting
from tcpladder.agent import control
from tcpladder.agent.fault_messages import Faults, FaultState, LiftFault, ListFaults
from tcpladder.errors import InterfaceError, PermissionRefused
from tcpladder.faults.fault import Fault, Match

STOPPED, ANSWERS = Path("7/control"), Path("8/control")
DROP = Fault(match=Match(destination_port=9), probe_sequences=[])


@pytest.fixture(autouse=True)
def instances(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(path: Path, question: ListFaults | LiftFault) -> Faults | FaultState:
        if path == STOPPED:
            raise InterfaceError("tcpladder 7 does not answer")
        state = fault_state(1, DROP)
        return state if isinstance(question, LiftFault) else Faults(faults=[state])

    monkeypatch.setattr(control, "running", lambda: [STOPPED, ANSWERS])
    monkeypatch.setattr(control, "ask", ask)


def test_the_others_are_lifted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InterfaceError, match="tcpladder 7 does not answer"):
        lifting.lift(None, instance=None)
    assert "fault 1 of tcpladder 8 is lifted" in capsys.readouterr().err


def test_the_others_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InterfaceError, match="tcpladder 7 does not answer"):
        lifting.list_faults(form="text")
    said = capsys.readouterr()
    assert "drop" in said.out
    assert "no fault is in force" not in said.err


def test_who_may_not_look_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(control, "RUN", tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionRefused, match="only root sees the faults of all instances"):
        list(control.running())
