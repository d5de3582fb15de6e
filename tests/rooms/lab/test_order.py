"""Every segment in its place: what is read, what is held against what was seen."""

from __future__ import annotations

import pytest

from tcpladder.agent.messages import SocketState
from tcpladder.lab.experiment import Role
from tcpladder.lab.observed import Seen
from tcpladder.lab.order import differences, read_order
from tcpladder.lab.socket_lines import socket_line
from tcpladder.lab.table import load

SECOND = 1_000_000_000
WRITTEN = [
    {"from": "client", "kind": "syn"},
    {"times": "retries", "from": "client", "kind": "syn_retransmission", "after": "2 ** i", "timer": "rto"},
]
ORDER = tuple(read_order(WRITTEN, {"retries": 3}))


def syns(*seconds: float) -> list[Seen]:
    kinds = ["syn"] + ["syn_retransmission"] * (len(seconds) - 1)
    return [Seen(kind, Role.CLIENT, round(s * SECOND)) for kind, s in zip(kinds, seconds, strict=True)]


def test_a_rung_is_repeated_and_knows_its_turn() -> None:
    assert [rung.after_s for rung in ORDER] == [None, 1, 2, 4]


def test_lists_are_repeated_with_their_order() -> None:
    pair = [{"from": "client", "kind": "keepalive_probe"}, {"from": "server", "kind": "keepalive_ack"}]
    rungs = read_order([{"times": "n", "order": pair}], {"n": 2})
    assert [rung.kinds[0] for rung in rungs] == ["keepalive_probe", "keepalive_ack"] * 2


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (syns(0, 1.03, 3.05, 7.2), []),
        (syns(0, 1.6, 4.3, 9.2), []),  # an eighth by the kernel, half a second by a machine with much to do
        (syns(0, 1.03, 3.05), ["segment 4: nothing, expected syn retransmission from the client"]),
        (syns(0, 1, 3, 7, 15), ["segment 5: syn retransmission from the client, expected no more"]),
        (syns(0, 1, 3, 6.9), ["segment 4: syn retransmission from the client after 3.900 s, expected 4 s"]),
        (
            syns(0, 1.7, 3.7, 7.7),
            ["segment 2: syn retransmission from the client after 1.700 s, expected 1 s"],
        ),
    ],
)
def test_what_is_not_as_it_must_be_is_said(seen: list[Seen], says: list[str]) -> None:
    assert list(differences(ORDER, seen)) == says


def test_what_may_be_missing_is_no_difference_and_what_comes_instead_is() -> None:
    written = [
        {"from": "client", "kind": "fin"},
        {"from": "server", "kind": "ack", "optional": True},
        {"from": "server", "kind": "data"},
    ]
    order = tuple(read_order(written, {}))
    fin, ack, data = (
        Seen("fin", Role.CLIENT, 0),
        Seen("ack", Role.SERVER, 1),
        Seen("data", Role.SERVER, 2),
    )
    assert not list(differences(order, [fin, ack, data]))
    assert not list(differences(order, [fin, data]))
    assert list(differences(order, [fin, ack, ack, data])) == [
        "segment 3: ack from the server, expected data from the server"
    ]
    assert list(differences(order, [fin])) == ["segment 2: nothing, expected data from the server"]


@pytest.mark.parametrize(
    ("timeout", "certain", "more"), [(2, 3, 0), (3, 3, 1), (5, 4, 0), (7, 5, 0), (13, 5, 1), (60, 8, 0)]
)
def test_how_often_a_user_timeout_lets_it_try_again(timeout: int, certain: int, more: int) -> None:
    """0.4, 1.2, 2.8, 6.0, 12.4, 25.2, 50.8 s after the first retransmission, each an eighth late at most."""
    order = load("user-timeout", (f"timeout={timeout}",)).order
    again = [rung for rung in order if rung.timer == "rto"]
    assert [rung.optional for rung in again] == [False] * certain + [True] * more
    assert [rung.after_s for rung in again] == pytest.approx(
        [0.2 * 2**turn for turn in range(certain + more)]
    )


def test_a_reset_that_nobody_has_asked_a_timer_about_is_still_the_one_that_gives_up() -> None:
    (order,) = read_order([{"from": "client", "kind": "rst_gives_up"}], {})
    assert not list(differences([order], [Seen("rst", Role.CLIENT, 0)]))
    assert list(differences([order], [Seen("fin", Role.CLIENT, 0)]))


@pytest.mark.parametrize(
    ("timer", "left_ms", "text"),
    [
        ("keepalive", 2900, "timer:(keepalive,2.900ms,1)"),  # sic: print_ms_timer
        ("keepalive", 12_400, "timer:(keepalive,12sec,1)"),
        ("keepalive", 7_195_000, "timer:(keepalive,119min,1)"),
        ("timewait", 59_000, "timer:(timewait,59sec,1)"),
        ("retransmission", 204, "timer:(on,204ms,1)"),
        ("persist", 61_000, "timer:(persist,1min1sec,1)"),
    ],
)
def test_a_socket_is_printed_as_ss_prints_it(timer: str, left_ms: int, text: str) -> None:
    state = SocketState(
        local="10.0.1.1",
        local_port=22345,
        remote="fd00::2",
        remote_port=12345,
        state="ESTAB",
        uid=0,
        inode=1,
        cookie=1,
        timer=timer,
        expires_ms=left_ms,
        retransmits=1,
        receive_queue=0,
        send_queue=100,
        info=None,
    )
    assert socket_line(state) == f"ESTAB 0 100 10.0.1.1:22345 [fd00::2]:12345 {text}"
