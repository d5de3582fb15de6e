"""Names in place of addresses: given, kept, looked up where that is asked for, and hidden by the mask."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rooms.app.scripted import ScriptedSession, app_for, many_flows, settle
from talk import Talk, write_pcap
from tcpladder.analysis.view import Endpoint
from tcpladder.app import address_names
from tcpladder.app.address_names import AddressNames
from tcpladder.app.names_dialog import NamesDialog
from tcpladder.errors import SettingsError
from tcpladder.ladder.privacy import Mask
from tcpladder.render.cells import endpoint
from tcpladder.render.jsonl import flow_record
from tcpladder.session.files import FileSession
from tcpladder.store.aliases import keep_aliases, kept_aliases
from waiting import until


@pytest.fixture(autouse=True)
def state_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_name_stands_where_people_read_and_the_address_where_programs_do(tmp_path: Path) -> None:
    session = FileSession([str(write_pcap(tmp_path / "one.pcap", Talk().handshake().frames))])
    list(session.read())
    plain = session.summary(1)
    session.name_addresses({plain.server.address: "shop"})
    named = session.summary(1)
    assert str(named.server) == f"shop:{plain.server.port}"
    assert named.server == plain.server == session.endpoints(1)[1]
    assert str(session.endpoints(1)[1]) == str(plain.server)
    assert flow_record(named) == flow_record(plain)
    assert "shop:80" in session.view(1).summary.server.__str__()
    session.mask = Mask()
    assert "shop" not in str(session.summary(1))


def test_a_long_name_loses_its_middle_and_never_the_port() -> None:
    end = Endpoint("2001:db8::1", 65535, "a-very-long-name-of-a-host")
    assert endpoint(end, 16) == "a-ver…host:65535"


async def test_a_names_both_addresses_and_keeps_that() -> None:
    app = app_for(many_flows(2))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        text = await settle(pilot)
        assert "name for 10.0.0.7" in text
        assert "not looked up" in text
        await pilot.press(*"desk", "tab", *"shop", "enter")
        text = await settle(pilot)
        assert "desk:40001" in text
        assert "shop:443" in text
        assert "(10.0.0.7:40001 → 10.0.0.9:443)" in text
        assert kept_aliases() == {"10.0.0.7": "desk", "10.0.0.9": "shop"}
        await pilot.press("a", *["backspace"] * 4, "enter")
        assert "desk" not in await settle(pilot)
    assert kept_aliases() == {"10.0.0.9": "shop"}
    assert AddressNames(lambda: None).given == {"10.0.0.9": "shop"}


async def test_what_is_no_name_is_refused_and_the_dialog_stays() -> None:
    app = app_for(many_flows(1))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("a", *"a:b", "enter")
        assert "is no name" in await settle(pilot)
        assert isinstance(app.screen, NamesDialog)
        await pilot.press("escape")
        await settle(pilot)
    assert kept_aliases() == {}


def test_names_that_cannot_be_kept_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot keep the names in .*aliases\.json"):
        keep_aliases({"10.0.0.1": "a"})


def test_nothing_is_looked_up_until_somebody_asks_and_a_given_name_comes_first() -> None:
    asked: list[str] = []

    def lookup(address: str) -> str | None:
        asked.append(address)
        return f"host-{address[-1]}"

    session = Named()
    names = AddressNames(lambda: None, lookup)
    names.show_in(session)  # type: ignore[arg-type]
    names.want(["10.0.0.1"])
    assert not asked
    names.give("10.0.0.2", "mine")
    names.resolve(True)
    names.want(["10.0.0.1", "10.0.0.2"])
    names.want(["10.0.0.1"])
    until(lambda: len(asked) == 2 and "10.0.0.1" in session.aliases)
    assert session.aliases == {"10.0.0.1": "host-1", "10.0.0.2": "mine"}
    names.resolve(False)
    assert session.aliases == {"10.0.0.2": "mine"}


class Named(ScriptedSession):
    """Notes the names that it was told."""

    aliases: dict[str, str] = {}  # noqa: RUF012  of the one session in the test

    def name_addresses(self, aliases: dict[str, str]) -> None:
        self.aliases = aliases


def test_a_name_server_that_is_silent_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_names, "PATIENCE_S", 0.02)
    never = threading.Event()
    names = AddressNames(lambda: None, lambda _: str(never.wait(5)))
    names.resolve(True)
    names.want(f"10.0.0.{n}" for n in range(9))
    until(lambda: names.trouble)
    assert not names.resolving
    never.set()


def test_localhost_is_looked_up_in_etc_hosts() -> None:
    assert address_names.look_up("127.0.0.1") == "localhost"
