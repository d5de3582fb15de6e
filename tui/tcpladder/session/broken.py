"""What becomes of a session whose thread fails by what nobody foresaw: a sentence instead of a screen that waits."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

from tcpladder.errors import TcpladderError

if TYPE_CHECKING:
    from tcpladder.session.base import Session


@contextmanager
def told(session: Session) -> Iterator[None]:
    """Around all that a thread does: whatever escapes ends the session, and is said on the screen and at the exit."""
    try:
        yield
    except Exception as failed:
        session.give_up(sentence(failed, session.name))


def sentence(failed: Exception, name: str) -> str:
    """What failed while `name` was read, and where, for whoever has to mend it."""
    if isinstance(failed, TcpladderError):
        return str(failed)
    if isinstance(failed, OSError) and failed.errno is not None:
        return f"cannot go on with {name}: {os.strerror(failed.errno).lower()}; what is shown was read before"
    where = traceback.extract_tb(failed.__traceback__)[-1]
    what = " ".join(f"{type(failed).__name__} {failed}".split())
    return (
        f"cannot go on with {name}: an error in tcpladder itself, {what} "
        f"({PurePath(where.filename).name}:{where.lineno}); what is shown was read before, please report it"
    )
