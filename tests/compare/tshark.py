"""Compare the kinds of a capture with tshark's `tcp.analysis.*`, segment by segment.

    python tests/compare/tshark.py [CAPTURE...]        without captures: those of tests/truth and tests/compare

Prints, for each capture, how many segments agree, and the frames that do not, in the form of disagreements.toml.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tcpladder.analysis.capture import CaptureAnalysis
from tcpladder.analysis.kinds import Kind
from tcpladder.sources.files import open_capture

HERE = Path(__file__).parent
TRUTH = HERE.parent / "truth"
OTHER = "other"
"""What neither side gives a name to: new data, plain ACKs, SYNs, the end."""

OURS: dict[Kind, str] = {
    Kind.KEEPALIVE_PROBE: "keep_alive",
    Kind.KEEPALIVE_ACK: "keep_alive_ack",
    Kind.ZERO_WINDOW: "zero_window",
    Kind.ZERO_WINDOW_PROBE: "zero_window_probe",
    Kind.ZERO_WINDOW_PROBE_ACK: "zero_window_probe_ack",
    Kind.DUPLICATE_ACK: "duplicate_ack",
    Kind.WINDOW_UPDATE: "window_update",
    Kind.WINDOW_FULL: "window_full",
    Kind.SYN_RETRANSMISSION: "retransmission",
    Kind.SYN_ACK_RETRANSMISSION: "retransmission",
    Kind.RETRANSMISSION: "retransmission",
    Kind.TAIL_LOSS_PROBE: "retransmission",
    Kind.FAST_RETRANSMISSION: "fast_retransmission",
    Kind.SPURIOUS_RETRANSMISSION: "spurious_retransmission",
    Kind.OUT_OF_ORDER: "out_of_order",
}
"""Our kinds in Wireshark's words; what is not here is OTHER."""

PRECEDENCE = (
    "keep_alive", "zero_window_probe", "fast_retransmission", "spurious_retransmission", "out_of_order",
    "retransmission", "zero_window_probe_ack", "zero_window", "keep_alive_ack", "duplicate_ack", "window_update",
    "window_full",
)  # fmt: skip
"""Wireshark may say several things of a segment: this one first."""
FAMILIES: dict[str, tuple[str, ...]] = {
    "keepalive": ("keep_alive",),
    "keepalive ACK": ("keep_alive_ack",),
    "retransmission": (
        "retransmission",
        "fast_retransmission",
        "spurious_retransmission",
        "out_of_order",
    ),
    "duplicate ACK": ("duplicate_ack",),
    "zero window": ("zero_window", "zero_window_probe_ack"),
    "window update": ("window_update",),
    "window full": ("window_full",),
}


@dataclass(frozen=True, order=True)
class Disagreement:
    """One segment that the two sides name differently."""

    capture: str
    ours: str
    tshark: str
    frame: int


def tshark_words(capture: Path) -> dict[int, str]:
    """Frame number -> tshark's word for each frame with TCP, OTHER where it has none."""
    fields = [f"tcp.analysis.{name}" for name in PRECEDENCE]
    # A field that this tshark does not know makes it fail; all of these are older than Wireshark 2.0.
    command = ["tshark", "-n", "-r", str(capture), "-Y", "tcp && !icmp && !icmpv6", "-T", "fields"]
    command += ["-E", "separator=/t", "-E", "aggregator=/s", "-e", "frame.number"]
    for name in fields:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    words = {}
    for line in done.stdout.splitlines():
        number, *values = line.split("\t")
        words[int(number)] = next(
            (name for name, value in zip(PRECEDENCE, values, strict=True) if value), OTHER
        )
    return words


def our_words(capture: Path) -> dict[int, str]:
    """Frame number -> our kind in Wireshark's words; ICMP errors and frames that are not whole are left out."""
    analysis = CaptureAnalysis(bytes(range(64)))
    file = open_capture(str(capture), 0)
    for batch in file.batches():
        analysis.feed(batch)
    file.close()
    rows = np.arange(len(analysis.log))
    frames = analysis.log.column("frame", rows).tolist()
    kinds = map(Kind, analysis.log.column("kind", rows).tolist())
    unnamed = (Kind.ICMP_ERROR, Kind.CUT_SHORT, Kind.MALFORMED)
    return {
        frame: OURS.get(kind, "copy" if kind.name == "COPY" else OTHER)
        for frame, kind in zip(frames, kinds, strict=True)
        if kind not in unnamed
    }


def compare(capture: Path, name: str | None = None) -> tuple[int, list[Disagreement]]:
    """How many segments were compared, and those that the two sides name differently."""
    ours, theirs = our_words(capture), tshark_words(capture)
    both = ours.keys() & theirs.keys()
    found = [
        Disagreement(name or capture.name, ours[frame], theirs[frame], frame)
        for frame in sorted(both)
        if ours[frame] != theirs[frame]
    ]
    return len(both), found


def agreement(segments: int, found: Iterable[Disagreement], family: str) -> float:
    """The share of segments that both sides put into the family, or both leave out of it."""
    words = FAMILIES[family]
    apart = sum((d.ours in words) != (d.tshark in words) for d in found)
    return 1 - apart / segments if segments else 1.0


def as_toml(found: Iterable[Disagreement]) -> str:
    """The disagreements as tables of disagreements.toml, for a person to complete."""
    frames: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for one in found:
        frames[one.capture, one.ours, one.tshark].append(one.frame)
    return "\n".join(
        f'[[disagreement]]\ncapture = "{capture}"\nours = "{ours}"\ntshark = "{theirs}"\n'
        f'frames = {numbers}\nright = ""\nwhy = ""\n'
        for (capture, ours, theirs), numbers in frames.items()
    )


def captures() -> list[Path]:
    """The captures that are compared: those with the kernel's word, and those recorded for this."""
    folders = (TRUTH, HERE / "captures")
    return sorted(
        path
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if ".pcap" in path.suffixes or path.suffix == ".pcapng"
    )


def main() -> None:
    """Compare, and print."""
    total, everything = 0, []
    for capture in [Path(word) for word in sys.argv[1:]] or captures():
        segments, found = compare(capture)
        total += segments
        everything += found
        print(f"{capture.name}: {segments - len(found)} of {segments} segments agree")
    print(as_toml(everything))
    for family in FAMILIES:
        print(f"{family}: {agreement(total, everything, family):.4%} of {total} segments")


if __name__ == "__main__":
    main()
