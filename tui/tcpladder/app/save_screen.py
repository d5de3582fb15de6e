"""Save frames: which, and into which file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.session.save_frames import Wanted

Choice = tuple[str, Wanted]
"""What can be saved, in words, and as a session takes it."""


class SaveScreen(ModalScreen[tuple[Path, Wanted] | None], inherit_bindings=False):
    """Asks; closes with the file and what to save, or None."""

    TITLE = "save"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "what to save"),
        Binding("down", "choose(1)", "what to save"),
        Binding("f3", "comments", "with or without comments"),
        Binding("escape", "cancel", "save nothing"),
    ]
    DEFAULT_CSS = """
    SaveScreen { align: center middle; }
    SaveScreen Vertical { width: 78; max-width: 100%; height: auto; border: round $accent; padding: 0 1;
        background: $surface; }
    SaveScreen.-ascii Vertical { border: ascii $accent; }
    SaveScreen Static { height: auto; }
    SaveScreen Input { height: 1; border: none; padding: 0; background: $panel; }
    """

    def __init__(self, choices: Sequence[Choice], *, name: str, masked: bool, ascii_only: bool) -> None:
        super().__init__()
        self._choices = choices
        self._masked = masked
        self._chosen = 0
        self._comments = True
        self._name = name
        self._ascii = ascii_only
        self.set_class(ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._text(), id="what", markup=False)
            yield Input(self._name, id="file", compact=True)
            yield Static("\nenter saves a new file, .pcapng or .pcap   esc cancels", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def _text(self) -> str:
        dot = "*" if self._ascii else "•"
        arrows = "up, down" if self._ascii else "↑↓"
        lines = [
            f"  ({dot if place == self._chosen else ' '}) {words}"
            for place, (words, _) in enumerate(self._choices)
        ]
        noted = "with" if self._comments else "without"
        return "\n".join(
            [
                f"Save the TCP frames of    {arrows} chooses",
                *lines,
                "",
                f"{noted} kinds, timers and verdicts as packet comments    F3 changes that",
                *(["frames have the real addresses: the privacy mask changes none"] if self._masked else []),
                "",
                "into the file",
            ]
        )

    def action_choose(self, by: int) -> None:
        self._chosen = (self._chosen + by) % len(self._choices)
        self.query_one("#what", Static).update(self._text())

    def action_comments(self) -> None:
        self._comments = not self._comments
        self.query_one("#what", Static).update(self._text())

    def action_cancel(self) -> None:
        self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        if not name:
            return
        wanted = replace(self._choices[self._chosen][1], comments=self._comments)
        self.dismiss((Path(name).expanduser(), wanted))


def proposed_name(now: datetime) -> str:
    """`tcpladder-20251009-140210.pcapng`."""
    return f"tcpladder-{now:%Y%m%d-%H%M%S}.pcapng"
