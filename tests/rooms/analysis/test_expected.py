"""What `--timers` and `--profile` say, and the sentences about what they cannot say."""

from __future__ import annotations

import pytest

from tcpladder.analysis import names
from tcpladder.analysis.expected import given, text_of, timer_names, value_of
from tcpladder.analysis.profiles import PROFILES
from tcpladder.analysis.view import Origin, Side
from tcpladder.errors import UsageError

S, MS = 1_000_000_000, 1_000_000


def test_keepalive_in_one_word() -> None:
    values = given(["keepalive=55/6/2,syn_retries=5,linear=0"], None).values
    assert values[Side.CLIENT] == values[Side.SERVER]
    assert values[Side.CLIENT] == {
        names.KEEPALIVE_TIME: 55 * S,
        names.KEEPALIVE_INTVL: 6 * S,
        names.KEEPALIVE_PROBES: 2,
        names.SYN_RETRIES: 5,
        names.SYN_LINEAR_TIMEOUTS: 0,
    }


def test_a_side_holds_for_the_items_behind_it() -> None:
    values = given(["user_timeout=5s,server:keepalive=55,syn_retries=1", "client:retries2=3"], None).values
    assert values[Side.CLIENT] == {names.USER_TIMEOUT: 5 * S, names.RETRIES2: 3}
    assert values[Side.SERVER] == {
        names.USER_TIMEOUT: 5 * S, names.KEEPALIVE_TIME: 55 * S, names.SYN_RETRIES: 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("keepalive_time=30", names.KEEPALIVE_TIME, 30 * S),
        ("keepalive_time=1.5min", names.KEEPALIVE_TIME, 90 * S),
        ("user_timeout=4500", names.USER_TIMEOUT, 4500 * MS),
        ("rto_min=200ms", names.RTO_MIN, 200 * MS),
        ("keepalive_intvl=1.46", names.KEEPALIVE_INTVL, 1460 * MS),
        ("keepalive=off", names.SO_KEEPALIVE, 0),
    ],
)
def test_units_are_those_of_the_kernels_own_setting(text: str, name: str, value: int) -> None:
    assert given([text], None).values[Side.SERVER] == {name: value}


@pytest.mark.parametrize(
    ("text", "points_at", "names_too"),
    [
        ("keepalve=55/6/2", "no timer keepalve", "did you mean keepalive?"),
        ("bogus=1", "no timer bogus", "user_timeout"),
        ("keepalive", "keepalive", "name=value"),
        ("", "''", "name=value"),
        ("keepalive=1/2/3/4", "4 numbers", "TIME/INTERVAL/PROBES"),
        ("keepalive=1/x/3", "'x'", "keepalive_intvl"),
        ("keepalive=1/2/3s", "'3s'", "count"),
        ("syn_retries=-1", "'-1'", "count"),
        ("syn_retries=999", "'999'", "255"),
        ("user_timeout=5parsec", "'5parsec'", "200ms"),
        ("keepalive_time=0", "longer than 0", "keepalive_time"),
        ("keepalive_time=99999h", "longer than a year", "keepalive_time"),
        ("peer:keepalive=1", "'peer'", "client, server or both"),
    ],
)
def test_a_wrong_word_is_named_and_what_it_may_be(text: str, points_at: str, names_too: str) -> None:
    with pytest.raises(UsageError) as error:
        given([text], None)
    sentence = str(error.value)
    assert points_at in sentence
    assert names_too in sentence
    assert sentence.startswith("--timers")
    assert "\n" not in sentence


def test_a_profile_is_believed_and_yields_to_the_values_beside_it() -> None:
    said = given(["keepalive=10"], "Solaris")
    believed = said.believed(Side.SERVER)
    assert believed.get(names.KEEPALIVE_TIME).value == 10 * S
    assert believed.get(names.KEEPALIVE_INTVL).value == 1460 * MS
    assert believed.get(names.KEEPALIVE_INTVL).origin is Origin.USER
    assert believed.is_firm(names.KEEPALIVE_TIME)
    assert not believed.is_firm(names.KEEPALIVE_INTVL)


def test_an_unknown_profile_lists_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="linux, linux-old, solaris, freebsd, macos, windows"):
        given([], "beos")


def test_every_profile_has_every_value() -> None:
    wanted = set(names.SETTINGS) - {names.SO_KEEPALIVE}
    for profile in PROFILES.values():
        assert set(profile.values) == wanted


def test_a_value_reads_as_it_is_written() -> None:
    for profile in PROFILES.values():
        for name, value in profile.values.items():
            assert value_of("", name, text_of(name, value) if value else "0") == value
    assert "keepalive" in timer_names()
