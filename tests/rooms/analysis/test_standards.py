"""Every kind and every timer has what a standard says about it, and where that stands."""

from __future__ import annotations

import re

import pytest

from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.names import SETTINGS
from tcpladder.analysis.standards import KIND_SAYINGS, TIMER_SAYINGS, Saying, setting_words
from tcpladder.analysis.view import Timer

SOURCE = re.compile(r"RFC \d+ \d|ip-sysctl, tcp_\w+|\w+\(\d(PCAP)?\)")


def test_every_kind_and_every_timer_has_one() -> None:
    assert set(KIND_SAYINGS) == set(Kind)
    assert set(TIMER_SAYINGS) == set(Timer)


@pytest.mark.parametrize(
    "said", [*KIND_SAYINGS.values(), *TIMER_SAYINGS.values()], ids=lambda said: said.text[:30]
)
def test_it_names_its_source_and_is_one_sentence(said: Saying) -> None:
    assert SOURCE.match(said.source)
    assert said.text[0].islower() or said.text.split()[0].isupper() or said.text[0].isdigit()
    assert not said.text.endswith(".")
    assert set(said.settings) <= set(SETTINGS)


def test_a_setting_has_its_sysctl_its_option_and_its_meaning() -> None:
    assert setting_words("keepalive_time") == (
        "net.ipv4.tcp_keepalive_time, TCP_KEEPIDLE: idle time before the first probe"
    )
    assert setting_words("user_timeout").startswith("TCP_USER_TIMEOUT: ")
    assert setting_words("delayed_ack").startswith("delayed_ack: ")
