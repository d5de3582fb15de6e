"""All ways to libpcap give a program, or libpcap's words; the snap length replaces every acceptance."""

from collections.abc import Callable

import pytest

from tcpladder.agent import bpf
from tcpladder.errors import PermissionRefused, UsageError

WAYS = {"cypcap": bpf._with_cypcap, "libpcap": bpf._with_libpcap, "tcpdump": bpf._with_tcpdump}


@pytest.fixture(params=list(WAYS))
def compiler(request: pytest.FixtureRequest) -> Callable[[str, str | None], list[bpf.Instruction]]:
    way = WAYS[request.param]
    try:
        way("tcp", None)
    except bpf._NoCompilerError:
        pytest.skip(f"needs {request.param}")
    return way


@pytest.mark.parametrize("expression", ["tcp", "tcp port 80", "host ::1 or icmp6", "tcp[13] & 2 != 0"])
def test_every_way_gives_the_program_that_the_others_give(
    compiler: Callable[[str, str | None], list[bpf.Instruction]], expression: str
) -> None:
    program = compiler(expression, None)
    assert program == bpf.compile_filter(expression, None)
    assert program[-1] == (bpf.RETURN_CONSTANT, 0, 0, 0)


@pytest.mark.parametrize(
    ("expression", "words"), [("tcp prot 80", "syntax error"), ("vlan 1", "no VLAN support")]
)
def test_every_way_refuses_in_the_words_of_libpcap(
    compiler: Callable[[str, str | None], list[bpf.Instruction]],
    expression: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in WAYS:
        monkeypatch.setattr(bpf, f"_with_{name}", compiler)
    with pytest.raises(UsageError, match=f"^cannot use the filter '{expression}': {words}"):
        bpf.compile_filter(expression, None)


def test_without_any_libpcap_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(expression: str, interface: str | None) -> list[bpf.Instruction]:
        raise bpf._NoCompilerError

    for name in WAYS:
        monkeypatch.setattr(bpf, f"_with_{name}", nowhere)
    with pytest.raises(
        PermissionRefused, match=r"no libpcap here; install libpcap .* or leave the filter out"
    ):
        bpf.compile_filter("tcp", None)


def test_the_snap_length_replaces_what_is_accepted_and_not_what_is_refused() -> None:
    program = [(0x30, 0, 0, 9), (0x15, 0, 1, 6), (0x06, 0, 0, 262144), (0x06, 0, 0, 0)]
    assert bpf.with_snap_length(program, 96) == [*program[:2], (0x06, 0, 0, 96), program[3]]
    assert bpf.with_snap_length(program, 0) == program
    assert bpf.with_snap_length(bpf.accept_all(), 64) == [(0x06, 0, 0, 64)]
