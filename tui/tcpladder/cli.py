"""The command line: the commands, and what becomes of their errors. Imports what a command needs when it runs."""

from __future__ import annotations

import errno
import gc
import os
import sys

import click

from tcpladder import about, app_commands, file_commands, machine_commands, opening, record_commands
from tcpladder.errors import ExitCode, TcpladderError
from tcpladder.fault_commands import doctor, fault
from tcpladder.record_commands import cast, demo, recordable

_SHOW_THE_APP = frozenset({"live", "open", "replay", "lab", "demo"})


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=about.show_versions,
              help="Print the version, and those of what it stands on.")  # fmt: skip
@recordable
@record_commands.continuable
@click.pass_context
def tcpladder(context: click.Context) -> None:
    """Live ladder diagrams of TCP connections, and which timer caused each silence.

    Exit codes: 0 done, 1 the answer is no (check, an experiment), 2 wrong usage, 3 bad input, 4 not permitted,
    130 interrupted.
    """
    shown = context.invoked_subcommand
    if shown is not None:
        if shown not in _SHOW_THE_APP:
            record_commands.refuse(f"`{shown}` prints")
        return
    if (why_not := opening.why_no_app()) is not None:
        record_commands.refuse(f"the app cannot open here: {why_not}")
        click.echo(context.get_help())
        return
    opening.start_screen()


for _command in (
    app_commands.live,
    app_commands.open_,
    app_commands.replay,
    app_commands.lab,
    file_commands.show,
    file_commands.flows,
    file_commands.check,
    file_commands.export,
    file_commands.save,
    machine_commands.interfaces,
    machine_commands.timers,
    machine_commands.config,
    about.completion,
    fault,
    doctor,
    cast,
    demo,
):
    tcpladder.add_command(_command)


def main() -> None:
    """Run the command; errors are sentences on stderr, and the exit code says which."""
    # No matrix is multiplied here, and the threads that numpy's library starts for it cost 40 ms at each start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Python looks for garbage after 700 new objects, and a start makes a hundred thousand that stay; so does a capture.
    gc.set_threshold(200_000)
    _fill_standard_streams()
    if instruction := os.environ.get(about.COMPLETE):
        sys.exit(about.complete(tcpladder, instruction))
    try:
        # Not tcpladder.main(), which makes exit code 1 of a broken pipe: here that says that the answer is no.
        with (
            tcpladder.make_context("tcpladder", sys.argv[1:]) as context,
            record_commands.nothing_left_empty(),
        ):
            tcpladder.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except TcpladderError as wrong:
        _fail(str(wrong), wrong.exit_code)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
        sys.exit(ExitCode.USAGE)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        _leave_stdout()
        sys.exit(ExitCode.DONE)
    except OSError as failed:
        if failed.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        _leave_stdout()
        _fail(f"cannot write the output: {os.strerror(failed.errno).lower()}", ExitCode.BAD_INPUT)


def _fill_standard_streams() -> None:
    """Open what the caller closed (`>&-`): else the next file would take its number, and be written to as stdout."""
    closed = sys.stdout is None
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    if closed:
        _fail("cannot write the output: stdout is closed", ExitCode.BAD_INPUT)


def _leave_stdout() -> None:
    """Whoever read our stdout has enough, or its disk is full; a flush at exit would complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, code: ExitCode) -> None:
    click.echo(f"tcpladder: {sentence}", err=True)
    sys.exit(code)
