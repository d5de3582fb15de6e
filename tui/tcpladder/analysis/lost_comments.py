"""What ate a segment, as a comment on its frame in a saved capture: `tcpladder lost: rule 1`.

Comments come from strangers, too: what is too long or has other characters is no word of ours.
"""

from __future__ import annotations

import re

PREFIX = "tcpladder lost: "
_WORDS = re.compile(r"[A-Za-z0-9 ,%-]{1,24}")


def lost_comment(words: str) -> str:
    """The comment that says what ate a segment."""
    return PREFIX + words


def words_of(comment: str) -> str | None:
    """What ate the segment of a frame with this comment, which may have other lines; None where it says nothing."""
    for line in comment.splitlines():
        if line.startswith(PREFIX) and _WORDS.fullmatch(line[len(PREFIX) :]):
            return line[len(PREFIX) :]
    return None
