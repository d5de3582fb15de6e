"""What of a terminal's input is picture: the rest asks the terminal questions or changes how it behaves."""

from __future__ import annotations

import re

_NOT_PICTURE = re.compile(
    r"\x1b\[\?(?!(?:7|25|1049|2026)[hl])[0-9;]*(?:\$p|[hlu])"  # mouse, paste, resize reports; what the terminal knows
    r"|\x1b\[[<>=][0-9;]*u"  # the keyboard protocol of kitty
    r"|\x1b\[[0-9;]*[nc]"  # where the cursor is, which terminal this is
    r"|\x1b\](?:22|52);[^\x07\x1b]*(?:\x07|\x1b\\)"  # the shape of the pointer, the clipboard
)


def painted(text: str) -> str:
    """`text` without what must not happen to the terminal of somebody who plays a recording.

    A player that is killed would leave mouse reports on; what was copied here must not be in the clipboard there.
    """
    return _NOT_PICTURE.sub("", text) if "\x1b" in text else text
