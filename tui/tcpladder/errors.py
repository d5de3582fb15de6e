"""What can go wrong, and the exit code of each. Messages are one sentence to a tired operator.

TcpladderError
├── UsageError          2   the command line asks for something that makes no sense
├── CaptureError        3   a capture cannot be read: missing, not a capture, broken before its first frame
├── SettingsError       3   the user's settings are no TOML, or say something that makes no sense
├── SessionError        3   a session ended before its time, by what nobody foresaw
├── InterfaceError      3   an interface is unknown or went away
└── PermissionRefused   4   the kernel says no; the message says what is missing and what to do
Exit code 130 is an interrupt by the user, 0 success, 1 "the answer is no" (check, lab).

Lower case, no full stop, the value that failed, then what to do: `cannot open eth7: no such interface (have: lo)`.
"""

from enum import IntEnum

WRITE_ELSEWHERE = "name a file in a directory that you may write, such as /tmp"
"""What to do where a file cannot be written because the kernel does not permit it."""


class ExitCode(IntEnum):
    """The process exit codes, documented in README."""

    DONE = 0
    NO = 1
    USAGE = 2
    BAD_INPUT = 3
    NOT_PERMITTED = 4
    INTERRUPTED = 130


class TcpladderError(Exception):
    """Anything that a user can cause. Its text is what the user reads."""

    exit_code = ExitCode.BAD_INPUT


class UsageError(TcpladderError):
    """The command line asks for something that makes no sense."""

    exit_code = ExitCode.USAGE


class CaptureError(TcpladderError):
    """A capture that cannot be read at all."""


class SettingsError(TcpladderError):
    """The user's settings are no TOML, or say something that makes no sense."""


class SessionError(TcpladderError):
    """A session that ended before its time; what came until then was shown."""


class InterfaceError(TcpladderError):
    """An interface that is not there, or no longer."""


class PermissionRefused(TcpladderError):
    """The kernel refuses; says which privilege is missing and what works without it."""

    exit_code = ExitCode.NOT_PERMITTED
