"""What the app finds of what the first process left: once, closed to its children, or a sentence."""

import json
import os

import pytest

from tcpladder.agent.start import handover
from tcpladder.errors import UsageError


def test_a_process_started_by_hand_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TCPLADDER_HANDOVER", raising=False)
    assert handover() is None


def test_it_is_read_once_and_its_descriptors_are_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    os.set_inheritable(writer, True)
    beside, other_end = os.pipe()
    os.set_inheritable(beside, True)
    left = {
        "agent": reader,
        "agent_pid": 7,
        "outputs": {"capture": writer},
        "beside": {"begin": beside},
        "notices": ["no Landlock"],
    }
    monkeypatch.setenv("TCPLADDER_HANDOVER", json.dumps(left))
    found = handover()
    assert found is not None
    assert (found.agent, found.outputs, found.notices) == (reader, {"capture": writer}, ["no Landlock"])
    assert found.beside == {"begin": beside}
    assert not any(map(os.get_inheritable, (reader, writer, beside)))
    assert handover() is None
    for descriptor in (reader, writer, beside, other_end):
        os.close(descriptor)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"agent": 9999, "agent_pid": 1, "outputs": {}, "beside": {}, "notices": []}']
)
def test_anything_else_in_the_variable_is_a_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TCPLADDER_HANDOVER", text)
    with pytest.raises(UsageError, match=r"^TCPLADDER_HANDOVER is set but is no handover: unset it$"):
        handover()
