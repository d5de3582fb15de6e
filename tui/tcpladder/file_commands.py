"""The commands that print or write what is in captures."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tcpladder import opening, options
from tcpladder.errors import ExitCode, UsageError


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@options.flows_option
@options.together_option
@options.follow_option
@options.fold_option
@options.timers_option
@options.profile_option
@click.option("--format", "form", type=click.Choice(options.FORMATS), default="text", show_default=True)
@options.ascii_option
def show(
    files: tuple[str, ...],
    flows: tuple[int, ...],
    together: bool,
    follow: bool,
    fold: bool,
    timers: tuple[str, ...],
    profile: str | None,
    form: str,
    ascii_only: bool,
) -> None:
    """Print the ladders of captures on stdout; - is stdin."""
    from tcpladder import printing

    given = options.given(timers, profile)
    if fold and (follow or form == "jsonl"):
        raise UsageError("--fold draws ladders that are whole: leave out --follow and --format jsonl")
    if together and (follow or form == "jsonl"):
        raise UsageError("--together draws one ladder that is whole: leave out --follow and --format jsonl")
    if follow:
        if flows:
            raise UsageError("--follow prints every flow as it comes, leave out --flow")
        printing.follow(files, form=form, ascii_only=ascii_only, given=given)
        return
    if together:
        printing.show_together(files, flows=flows, ascii_only=ascii_only, fold=fold, given=given)
        return
    printing.show(files, flows=flows, form=form, ascii_only=ascii_only, fold=fold, given=given)


@click.command()
@options.files
@options.flows_option
@options.together_option
@click.option(
    "--as", "form", type=click.Choice(options.EXPORTS), help="Else the end of the file's name says it."
)
@click.option("-o", "--output", default="-", show_default=True, help="Where to write it; - is stdout.")
@click.option("--rungs", metavar="A-B", help="Only these segments of the flow, counted from 1.")
@options.fold_option
@click.option("--names", metavar="CLIENT,SERVER", help="What stands above the lifelines: curl,nc.")
@click.option("--theme", type=click.Choice(["light", "dark"]), help="Of svg, png and html; a page without it "
              "takes its reader's.")  # fmt: skip
@click.option("--width", type=click.IntRange(40, 1000), default=80, show_default=True, help="Of text.")
@click.option("--local", type=click.Choice(["client", "server"]), help="The end that packetdrill plays; else the one "
              "whose timers sent more.")  # fmt: skip
@click.option("--privacy", is_flag=True, help="Put addresses of documentation in place of those in the file.")
@click.option("--privacy-ports", is_flag=True, help="Ports, too.")
@options.timers_option
@options.profile_option
@options.ascii_option
def export(
    files: tuple[str, ...],
    flows: tuple[int, ...],
    together: bool,
    form: str | None,
    output: str,
    rungs: str | None,
    fold: bool,
    names: str | None,
    theme: str | None,
    width: int,
    local: str | None,
    privacy: bool,
    privacy_ports: bool,
    timers: tuple[str, ...],
    profile: str | None,
    ascii_only: bool,
) -> None:
    """Write a flow as a drawing, a page, a source for a diagram, a table or a script; FILE - is stdin."""
    from tcpladder import exporting
    from tcpladder.analysis.expected import given as read_given
    from tcpladder.analysis.view import Side
    from tcpladder.render.formats import Taste
    from tcpladder.render.palette import Theme

    taste = Taste(
        theme=None if theme is None else Theme(theme),
        width=width,
        ascii_only=ascii_only,
        local=None if local is None else Side[local.upper()],
    )
    asked = exporting.Asked(
        form=form,
        flows=flows,
        together=together,
        rungs=rungs,
        fold=fold,
        names=names,
        output=output,
        privacy=privacy,
        privacy_ports=privacy_ports,
        taste=taste,
    )
    exporting.export(files, asked, given=read_given(timers, profile))


@click.command()
@options.files
@options.timers_option
@options.profile_option
@click.option(
    "--tolerance", metavar="5%|20ms", help="How far a timer may be off; else as late as a kernel may be."
)
@click.option("--format", "form", type=click.Choice(options.FORMATS), default="text", show_default=True)
def check(
    files: tuple[str, ...], timers: tuple[str, ...], profile: str | None, tolerance: str | None, form: str
) -> None:
    """Judge captures by timers that must hold: exit 0 when all kept their schedule, 1 with those that did not."""
    from tcpladder import checking

    given = options.given(timers, profile)
    if not given:
        raise UsageError(
            "check judges by what must hold: give --timers, such as keepalive=55/6/2, or --profile"
        )
    all_kept = checking.check(files, given=given, tolerance=tolerance, form=form)
    sys.exit(ExitCode.DONE if all_kept else ExitCode.NO)


@click.command()
@options.files
@click.option("--format", "form", type=click.Choice(options.FORMATS), default="text", show_default=True)
@click.option("--filter", "words", metavar="WORDS", default="", help='Such as "state:estab probes>0".')
@options.ascii_option
def flows(files: tuple[str, ...], form: str, words: str, ascii_only: bool) -> None:
    """Print the list of flows of captures on stdout; - is stdin."""
    from tcpladder import printing

    printing.flows(files, form=form, words=words, ascii_only=ascii_only)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@options.flows_option
@click.option(
    "--from", "begin", metavar="TIME", help="Only from then on: 14:02:10, 90 (seconds from the begin), 50%."
)
@click.option("--to", "end", metavar="TIME", help="Only until then; +90 counts from --from.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="A new file, .pcapng or .pcap."
)
@click.option("--no-comments", is_flag=True, help="Do not write what is known of a frame beside it.")
@options.timers_option
@options.profile_option
def save(
    files: tuple[str, ...],
    flows: tuple[int, ...],
    begin: str | None,
    end: str | None,
    output: Path,
    no_comments: bool,
    timers: tuple[str, ...],
    profile: str | None,
) -> None:
    """Save the TCP frames of captures, or some of them, with kinds, timers and verdicts as packet comments."""
    from tcpladder import writing

    opening.say(
        writing.save(
            files,
            output,
            flows=flows,
            begin=begin,
            end=end,
            comments=not no_comments,
            given=options.given(timers, profile),
        )
    )
