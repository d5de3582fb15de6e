"""What never came: certain cases are reported, and whatever may have kept a timer back is not."""

from __future__ import annotations

import pytest

from talk import SECOND_NS, Talk, analysed
from tcpladder.analysis.check import NEVER_CAME, READ, check, must_hold
from tcpladder.analysis.duration import about
from tcpladder.analysis.expected import given

FAR_NS = 30_000_000


def said(talk: Talk, timers: str, goes_on_s: float = 0) -> list[str]:
    """What `check` reports as missing, with the frame that armed the timer."""
    capture, held = analysed(talk.frames, columns=READ), must_hold(given([timers], None))
    until_ns = capture.last_ns + round(goes_on_s * SECOND_NS)
    [flow] = capture.all_waits(delayed=False, quiet=True)
    checked = check(flow, held, until_ns)
    return [
        f"{d.frame} {d.name}, silent for {about(d.observed_ns or 0)}"
        for d in checked.deviations
        if d.because == NEVER_CAME
    ]


def beside(by: str = "client") -> Talk:
    """An open connection, seen beside both ends: their ACKs come at once."""
    quick = {"after_ns": 100_000}
    talk = Talk().syn().syn_ack(**quick).ack(**quick)
    talk.data(by="client", **quick).ack("server", **quick)
    return talk.data(by="server", **quick).ack("client", **quick)


def probed() -> Talk:
    """The client has probed once, 55 s after the last word, and was answered."""
    return beside().silence(55.1).keepalive().ack("server", after_ns=100_000)


KEEPALIVE = "keepalive=55/6/2"


def test_a_probe_that_never_came_while_the_capture_goes_on() -> None:
    assert said(probed(), KEEPALIVE, 63) == ["9 keepalive_time 55 s: probe 1/2, silent for 63.0 s"]


def test_the_kernels_lateness_is_waited_for() -> None:
    assert not said(probed(), KEEPALIVE, 61.5)


def test_a_probe_that_never_came_before_something_else_did() -> None:
    talk = probed().silence(80).data(by="server").ack("client", after_ns=100_000)
    assert said(talk, KEEPALIVE) == ["9 keepalive_time 55 s: probe 1/2, silent for 80.0 s"]


def test_a_late_probe_is_late_and_not_missing() -> None:
    assert not said(probed().silence(80).keepalive().ack("server", after_ns=100_000), KEEPALIVE)


def test_the_next_of_several_unanswered_probes() -> None:
    talk = probed().silence(55.1).keepalive()
    assert said(talk, KEEPALIVE, 7) == ["10 keepalive_intvl 6 s: probe 2/2, silent for 7.0 s"]


def test_the_reset_of_the_give_up() -> None:
    talk = probed().silence(55.1).keepalive().silence(6.1).keepalive()
    assert said(talk, KEEPALIVE, 7) == ["11 keepalive_intvl 6 s: RST after 2 probes, silent for 7.0 s"]
    assert not said(talk.silence(6.1).rst(), KEEPALIVE, 500)


def test_an_end_that_has_not_probed_must_only_where_keepalive_is_said_to_be_on() -> None:
    assert not said(beside(), "client:keepalive=55/6/2", 500)
    on = "client:keepalive=on,keepalive=55/6/2"
    assert said(beside(), on, 500) == ["7 keepalive_time 55 s: probe 1/2, silent for 500.0 s"]
    assert not said(probed(), "keepalive=off,keepalive_time=55", 500)
    # The RTO is judged here, and its silences are looked at.
    assert not said(
        unanswered(1).ack("server", after_ns=100_000), "retries2=15,keepalive=off,keepalive_time=55", 500
    )


def test_what_was_not_given_by_name_accuses_nobody() -> None:
    assert not said(probed(), "retries2=3", 9000)
    assert not said(probed(), "keepalive_intvl=6", 9000)


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(probed().data(by="client"), id="data is not acknowledged: the RTO runs"),
        pytest.param(probed().ack("server", window=0), id="the window is closed: persist runs"),
        pytest.param(probed().fin("server").ack("client"), id="half closed: the socket may be gone"),
        pytest.param(probed().rst("server"), id="reset"),
        pytest.param(Talk().established().keepalive().ack("server"), id="nobody knows where the capture stands"),
        pytest.param(
            Talk().syn().syn_ack(after_ns=FAR_NS).ack(after_ns=FAR_NS).data(by="server", after_ns=FAR_NS)
            .ack("client", after_ns=FAR_NS).silence(55.1).keepalive().ack("server"),
            id="the probe may have been lost on the way to the capture point",
        ),
    ],
)  # fmt: skip
def test_what_may_have_kept_the_timer_back_is_no_accusation(talk: Talk) -> None:
    assert not said(talk, KEEPALIVE, 500)


def unanswered(times: int) -> Talk:
    """Data of the client that is sent again, the RTO doubling from 200 ms."""
    talk = beside().data(by="client", after_ns=100_000)
    for number in range(times):
        talk.again(after_ns=205_000_000 << number)
    return talk


def test_a_retransmission_that_never_came() -> None:
    assert said(unanswered(3), "retries2=15", 5) == ["11 RTO 1.64 s: retransmission 4, silent for 5.0 s"]


def test_the_rto_may_have_given_up_in_silence() -> None:
    assert not said(unanswered(4), "retries2=3", 500)
    assert not said(unanswered(3), "retries2=15", 1.8)
    assert not said(unanswered(3), "retries2=15,user_timeout=2s", 500)


def test_one_retransmission_does_not_show_what_the_next_wait_is() -> None:
    assert not said(unanswered(1), "retries2=15", 500)


def test_an_answer_ends_the_run() -> None:
    assert not said(unanswered(3).ack("server"), "retries2=15", 500)
