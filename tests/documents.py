"""The pages of docs/ that are made from the code. `python tests/documents.py` writes them, a test compares them."""

from __future__ import annotations

from pathlib import Path

from manual import manual
from tcpladder.analysis.expected import text_of
from tcpladder.analysis.kinds import KINDS, PROBES, RETRANSMISSIONS, Kind
from tcpladder.analysis.names import SETTINGS
from tcpladder.analysis.profiles import PROFILES

ROOT = Path(__file__).resolve().parent.parent

KINDS_HEAD = """# What a segment can be

Made by `make docs` from `tui/tcpladder/analysis/kinds.py`; a test holds the two together. The word is what `kind` says
in JSON lines, the label is what stands on the rung (numbers are added there: `keepalive probe 2/3`, `data 79`). The
first rule that fits from the special to the general decides; every rung says in its `because` which numbers were
compared.
"""


def kinds_table() -> list[str]:
    """One line a kind."""
    lines = ["| kind | label | when | source |", "|---|---|---|---|"]
    for kind in Kind:
        rule = KINDS[kind]
        lines.append(f"| `{rule.word}` | {rule.label} | {rule.rule} | {rule.source} |")
    return lines


def words(kinds: frozenset[Kind]) -> str:
    """The words of some kinds, in the order of the table."""
    return ", ".join(f"`{KINDS[kind].word}`" for kind in sorted(kinds))


def kinds_page() -> str:
    """docs/KINDS.md."""
    counted = [
        "The list of flows counts these as retransmissions: " + words(RETRANSMISSIONS) + ".",
        "These ask whether the peer is still there: " + words(PROBES) + ".",
    ]
    return "\n".join([KINDS_HEAD, *kinds_table(), "", *(f"{line}\n" for line in counted)])


TIMERS_HEAD = """# Timers: what is expected, what is believed

Made by `make docs` from `tui/tcpladder/analysis/names.py` and `profiles.py`; a test holds them together.

`tcpladder check FILE --timers keepalive=55/6/2` judges a capture by what must hold: it exits 0 when every timer kept
its schedule, and 1 with a table of those that did not. Only the timers that are given are judged; `--profile` gives all
of one stack's. A timer may be as late as a kernel's timer wheel makes it, an eighth of its length; `--tolerance 5%` or
`--tolerance 20ms` says otherwise.

What never came is reported, too, where it is certain that it had to: the next probe of an end that has probed before
or of which `keepalive=on` says that it must, the RST behind its last probe, the retransmission after two that doubled
their distance, within the limit of `retries2`. The value must be given by name (`keepalive_time`, `keepalive_intvl`,
`keepalive_probes`, `retries2`; a profile accuses nobody), the capture must stand beside that end, whose ACKs then come
within a millisecond, and go on longer than the timer may take. While data is unacknowledged, the peer's window is
closed or a FIN was sent, other timers run. A rule on that host that eats what it sends looks the same. A connection
that is only being opened shows nothing of its path, and an application may have given up connecting: no SYN is missed.

`show`, `open` and `live` take the same options and believe them, with origin `user`, where nothing stronger is known.
Strongest first: `socket`, `netns`, `capture`, `user`, `inferred`, `assumed`. A sysctl yields to what the flow shows,
because a program may have set an option that nobody has read.

`--timers` may come several times. Items stand between commas; `client:` or `server:` before an item holds for it and
those behind it. `keepalive=TIME/INTERVAL/PROBES` may end after any of its parts, `keepalive=off` says that an end sends
no probes, `keepalive=on` that it must, and `linear` is short for `syn_linear_timeouts`. A time takes `us`, `ms`, `s`,
`min` or `h` behind it.
"""

OWN = """A stack of your own stands in your settings, `$XDG_CONFIG_HOME/tcpladder/config.toml` or
`~/.config/tcpladder/config.toml` (`TCPLADDER_CONFIG` names another file), as `[profiles.NAME]`, with any of the names
above; `like` says which profile the rest comes from. `tcpladder config --sample` prints an example. Under sudo they are
the settings of the user who called sudo.
"""

CAPTURED = """A live capture that is saved carries the values that were known, as comments on the frames from which they
hold. Other tools show them as comments. Such a line begins with `tcpladder timers: ` and goes on with a JSON array of
objects: `from` is `sysctl`, with the `addresses` of the machine, or `socket`, with its `end` and its `peer`, each an
address and a port; `since_ns`, where it stands, is the time from which the values hold; every other key is a name of
the table above, its value as `--timers` takes it.
"""


def timers_page() -> str:
    """docs/TIMERS.md."""
    lines = [
        TIMERS_HEAD,
        "| name | without a unit | sysctl | socket option | meaning |",
        "|---|---|---|---|---|",
    ]
    units = {None: "a count", 10**9: "s", 10**6: "ms"}
    for name, setting in SETTINGS.items():
        sysctl, option = (f"`{text}`" if text else "" for text in (setting.sysctl, setting.option))
        lines.append(f"| `{name}` | {units[setting.unit_ns]} | {sysctl} | {option} | {setting.meaning} |")
    names = [name for name in SETTINGS if name in PROFILES["linux"].values]
    lines += ["", "## Profiles", "", "| | " + " | ".join(f"`{name}`" for name in PROFILES) + " |"]
    lines.append("|---|" + "---|" * len(PROFILES))
    for name in names:
        values = [text_of(name, profile.values[name]) for profile in PROFILES.values()]
        lines.append(f"| `{name}` | " + " | ".join(values) + " |")
    return "\n".join([*lines, "", OWN, "## In the capture", "", CAPTURED])


PAGES = {
    ROOT / "docs" / "KINDS.md": kinds_page,
    ROOT / "docs" / "TIMERS.md": timers_page,
    ROOT / "docs" / "tcpladder.1": manual,
}
"""Where each page is, and what makes it."""


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
