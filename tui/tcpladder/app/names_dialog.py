"""Names for the two addresses of a flow, and whether names are looked up."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.app.address_names import AddressNames
from tcpladder.errors import TcpladderError
from tcpladder.render.cells import clean
from tcpladder.store.aliases import MOST_LETTERS, is_alias, keep_aliases


class NamesDialog(ModalScreen[None], inherit_bindings=False):
    """An input an address; what is typed is kept for the next time."""

    TITLE = "names"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "leave them as they are"),
        Binding("tab,down", "app.focus_next", "the other address"),
        Binding("shift+tab,up", "app.focus_previous", "the one before"),
        Binding("ctrl+r", "resolve", "look names up in /etc/hosts and DNS, or do not"),
    ]
    DEFAULT_CSS = """
    NamesDialog { align: center middle; }
    NamesDialog Vertical { width: 66; max-width: 100%; height: auto; border: round $accent; padding: 0 1;
        background: $surface; }
    NamesDialog.-ascii Vertical { border: ascii $accent; }
    NamesDialog Static { height: auto; }
    NamesDialog Input { height: 1; border: none; padding: 0; }
    NamesDialog #keys { color: $text-muted; }
    """

    def __init__(self, names: AddressNames, addresses: tuple[str, ...], *, ascii_only: bool) -> None:
        super().__init__()
        self._names = names
        self._addresses = tuple(dict.fromkeys(addresses))
        self._ascii = ascii_only
        self.set_class(ascii_only, "-ascii")

    def compose(self) -> ComposeResult:
        with Vertical():
            for address in self._addresses:
                yield Static(clean(f"name for {address}", self._ascii), markup=False)
                yield Input(self._names.given.get(address, ""), placeholder="none", compact=True)
            yield Static(self._words(), markup=False, id="looked-up")
            yield Static("enter keep  tab other  ^r look up or not  esc cancel", markup=False, id="keys")

    def _words(self) -> str:
        if self._names.trouble:
            return self._names.trouble
        if self._names.resolving:
            return "names are looked up: /etc/hosts, DNS"
        return "names are not looked up: it would tell a name server which addresses are here"

    def action_resolve(self) -> None:
        self._names.resolve(not self._names.resolving)
        self.query_one("#looked-up", Static).update(self._words())

    def action_close(self) -> None:
        self.dismiss(None)

    @on(Input.Submitted)
    def _keep(self) -> None:
        typed = [entry.value.strip() for entry in self.query(Input)]
        for name in typed:
            if name and not is_alias(name):
                self.notify(
                    f"{name} is no name: at most {MOST_LETTERS} letters, no blank, no colon, no bracket",
                    severity="warning",
                    markup=False,
                )
                return
        for address, name in zip(self._addresses, typed, strict=True):
            self._names.give(address, name)
        try:
            keep_aliases(self._names.given)
        except TcpladderError as failed:
            self.notify(f"{failed}; they hold until this ends", severity="warning", markup=False)
        self.dismiss(None)
