"""The front end of `save`: which part of which captures goes into which file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tcpladder.agent.confine import invoking_user
from tcpladder.analysis.expected import Given
from tcpladder.errors import UsageError
from tcpladder.session.files import FileSession
from tcpladder.session.moment import moment_of
from tcpladder.session.save_frames import Wanted
from tcpladder.session.save_frames import save as save_session


def save(
    files: Sequence[str],
    output: Path,
    *,
    flows: Sequence[int],
    begin: str | None,
    end: str | None,
    comments: bool,
    given: Given,
) -> list[str]:
    """Read captures and write what is wanted of them to a new file; returns sentences for the user."""
    session = FileSession(files, read_again=True, given=given)
    try:
        for _ in session.read():
            pass
        count = session.flow_count()
        for number in flows:
            if number > count:
                raise UsageError(f"there is no flow {number}: {', '.join(files)} has {count}")
        wanted = _wanted(session, flows, begin, end, comments=comments)
        user = invoking_user()
        owner = None if user is None else (user.pw_uid, user.pw_gid)
        saved = save_session(session, output, wanted, owner=owner)
        return [*session.status().warnings, saved.sentence]
    finally:
        session.close()


def _wanted(
    session: FileSession, flows: Sequence[int], begin: str | None, end: str | None, *, comments: bool
) -> Wanted:
    firsts = [session.summary(number).first_ns for number in range(1, session.flow_count() + 1)]
    first_ns, last_ns = min((ns for ns in firsts if ns > 0), default=0), session.now_ns()
    timezone = datetime.now().astimezone().tzinfo or UTC
    from_ns = to_ns = None
    if begin is not None:
        from_ns = moment_of(begin, begin_ns=first_ns, now_ns=first_ns, end_ns=last_ns, timezone=timezone)
    if end is not None:
        now_ns = first_ns if from_ns is None else from_ns
        to_ns = moment_of(end, begin_ns=first_ns, now_ns=now_ns, end_ns=last_ns, timezone=timezone)
    return Wanted(flows=tuple(flows), from_ns=from_ns, to_ns=to_ns, comments=comments)
