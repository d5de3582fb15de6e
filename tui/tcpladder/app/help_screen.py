"""The keys that work on the page below, read from its bindings, so that the help cannot lie."""

from __future__ import annotations

from collections.abc import Iterable
from string import punctuation
from textwrap import wrap
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.keys import _character_to_key

from tcpladder.app.dialog import COLUMNS, Dialog
from tcpladder.render import sparkline

KEY_NAMES: dict[str, str] = {
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift-Tab",
    "space": "Space",
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "plus": "+",
    "minus": "-",
    "apostrophe": "'",
    "comma": ",",
    "full_stop": ".",
    "underscore": "_",
    "at": "@",
}
ASCII_NAMES: dict[str, str] = {"↑": "Up", "↓": "Down"}

SIGNS_TYPED: dict[str, str] = {_character_to_key(sign): sign for sign in punctuation}
"""Textual's name of a sign -> the sign."""

KEY_CELLS = 19
"""Left of what a key does."""

SIGNS = (
    """\
What the signs mean
  ▌ cursor   ✓ on time   late, early   ? unexplained   ✗ did not arrive
  ⚑ a note   ◆ the marked rung   ▸ exchanges that repeat, folded
  ≈ a gap that is longer than it is drawn
  On the map: ▁ to █ segments, p probe, r retransmission, R reset,
  ✗ eaten, ⚑ a note, ● the cursor.
  A quiet row between two rungs is a silence, with the timer that
  explains it. A dashed rung has not been sent: it must come next if
  nothing else happens.
  In the list, """
    + sparkline.MEANING
)
SIGNS_ASCII = (
    """\
What the signs mean
  > cursor   ok on time   late, early   ? unexplained   x did not arrive
  ! a note   * the marked rung   + exchanges that repeat, folded
  ~ a gap that is longer than it is drawn
  On the map: . to # segments, p probe, r retransmission, R reset,
  x eaten, ! a note, O the cursor.
  A quiet row between two rungs is a silence, with the timer that
  explains it. A dotted rung has not been sent: it must come next if
  nothing else happens.
  In the list, """
    + sparkline.MEANING_ASCII
)


def key_name(key: str) -> str:
    """A key as it is written on a keyboard: `^b`, `PgUp`, `?`, `F1`."""
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    return key.upper() if len(key) > 1 and key[0] == "f" and key[1:].isdigit() else SIGNS_TYPED.get(key, key)


def key_lines(
    bindings: Iterable[Binding],
    *,
    ascii_only: bool,
    greyed: frozenset[str] = frozenset(),
    columns: int = COLUMNS,
) -> list[str]:
    """Lines of `columns` cells: an action's keys, what it does; in brackets where it is `greyed`: not here."""
    actions: dict[tuple[str, str], list[str]] = {}
    for binding in bindings:
        if binding.description and not binding.system:
            names = actions.setdefault((binding.action, binding.description), [])
            names += [key_name(key) for key in binding.key.split(",")]
    lines = []
    for (action, description), names in actions.items():
        if action in greyed:
            description = f"({description})"
        written = [ASCII_NAMES.get(name, name) for name in names] if ascii_only else names
        first, *more = wrap(description, columns - KEY_CELLS)
        lines.append(f"  {' '.join(dict.fromkeys(written)):<{KEY_CELLS - 3}} {first}")
        lines += [f"{'':<{KEY_CELLS}}{rest}" for rest in more]
    return lines


class HelpScreen(Dialog):
    """The help about one page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "dismiss", "close")]

    def __init__(
        self, title: str, bindings: Iterable[Binding], *, ascii_only: bool, greyed: frozenset[str], why: str
    ) -> None:
        super().__init__(ascii_only=ascii_only)
        self._heading = title
        self._greyed, self._why = greyed, why
        self._bindings_below = list(bindings)

    @property
    def text(self) -> str:
        lines = key_lines(
            self._bindings_below, ascii_only=self.ascii_only, greyed=self._greyed, columns=self.columns
        )
        keys = "\n".join(lines)
        if self._greyed:
            keys += f"\n  In brackets: {self._why}"
        signs = SIGNS_ASCII if self.ascii_only else SIGNS
        return f"Keys in {self._heading}\n{keys}\n\n{signs}\n\n  Esc closes this."
