"""The man page, made from the command line itself: man(7) source, so that `man tcpladder` says what --help says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from tcpladder.cli import tcpladder

EXIT_CODES = (
    ("0", "done"),
    ("1", "the answer is no: a timer did not keep its schedule, an experiment did not go as expected"),
    ("2", "wrong usage"),
    ("3", "bad input: a file that is no capture, an interface that is not there"),
    ("4", "not permitted"),
    ("130", "interrupted"),
)
FILES = (
    (
        "~/.config/tcpladder/config.toml",
        "settings; \\fBtcpladder config \\-\\-sample\\fR prints a file to begin with",
    ),
    ("/run/tcpladder/", "what an instance with privilege has to put back, and its control socket"),
)
EXAMPLES = (
    ("tcpladder lab keepalive", "watch keepalive fail on a real connection, without root"),
    ("sudo tcpladder live -i eth0 tcp port 443", "sniff"),
    ("tcpladder show trace.pcap --flow 3", "a ladder on stdout"),
    ("tcpladder check trace.pcap --timers keepalive=55/6/2", "did the timers keep their schedule?"),
    ("sudo tcpladder fault drop --dport 12345 --for 60s", "break connections, and mend them"),
)


def manual() -> str:
    """docs/tcpladder.1."""
    root = click.Context(tcpladder, info_name="tcpladder", **tcpladder.context_settings)
    lines = ['.TH TCPLADDER 1 "" "tcpladder" "User Commands"', ".SH NAME"]
    lines += ["tcpladder \\- live ladder diagrams of TCP connections, and which timer caused each silence"]
    lines += [".SH SYNOPSIS", ".B tcpladder", "[\\fICOMMAND\\fR] [\\fIOPTION\\fR]...", ".SH DESCRIPTION"]
    lines += _paragraphs(tcpladder)
    lines += [".SH COMMANDS", *_commands(tcpladder, root)]
    lines += [".SH OPTIONS", *_options(tcpladder, root)]
    lines += [".SH EXIT STATUS", *_terms(EXIT_CODES), ".SH FILES", *_terms(FILES)]
    lines += [".SH EXAMPLES", *_terms((_escaped(command), says) for command, says in EXAMPLES)]
    lines += [".SH SEE ALSO", ".BR tcpdump (8),", ".BR ss (8),", ".BR tcp (7),", ".BR wireshark (1)"]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, above: click.Context, name: str = "") -> Iterator[str]:
    """Each command with what it does and its options; the commands of a group stand behind it."""
    for word in group.list_commands(above):
        command = group.get_command(above, word)
        assert command is not None
        context = click.Context(command, info_name=word, parent=above)
        full = f"{name} {word}".strip()
        usage = " ".join(command.collect_usage_pieces(context))
        yield from (
            f".SS {_escaped(full)} {_escaped(usage)}",
            *_paragraphs(command),
            *_options(command, context),
        )
        if isinstance(command, click.Group):
            yield from _commands(command, context, full)


def _paragraphs(command: click.Command) -> Iterator[str]:
    """The help of a command; a line that begins with a command's name stays a line."""
    for number, paragraph in enumerate((command.help or "").split("\n\n")):
        if number:
            yield ".PP"
        kept = "\b" in paragraph
        lines = [line.strip() for line in paragraph.replace("\b", "").splitlines() if line.strip()]
        for line in lines if kept else [" ".join(lines)]:
            yield _escaped(line)
            if kept:
                yield ".br"


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """The options of a command; --help, which every one has, stands at the first only."""
    options = [param for param in command.get_params(context) if isinstance(param, click.Option)]
    records = [
        option.get_help_record(context)
        for option in options
        if "--help" not in option.opts or context.parent is None
    ]
    yield from _terms((_escaped(record[0]), _escaped(record[1])) for record in records if record is not None)


def _terms(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, says in pairs:
        yield from (".TP", f"\\fB{term}\\fR", says)


def _escaped(text: str) -> str:
    """roff takes a backslash, a hyphen that is a minus, and a dot or quote at the beginning of a line as its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{text}" if text[:1] in (".", "'") else text
