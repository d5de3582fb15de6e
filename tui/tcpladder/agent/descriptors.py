"""How a process that goes on alone lets go of everything that its parent had open."""

from __future__ import annotations

import fcntl
import os

_OUT_OF_THE_WAY = 64


def keep_only(*kept: int) -> list[int]:
    """Close every descriptor but `kept`, which are numbered 3, 4 … from here on; no pipe or terminal stays open."""
    aside = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY) for one in kept]
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    numbers = [os.dup2(one, 3 + place, inheritable=False) for place, one in enumerate(aside)]
    os.closerange(3 + len(kept), os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")
    return numbers
