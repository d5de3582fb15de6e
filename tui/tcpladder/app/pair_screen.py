"""Two rungs beside each other: what the second is to the first, field by field, and the bytes that differ."""

from __future__ import annotations

from collections.abc import Iterator

from textual import work
from textual.containers import VerticalScroll

from tcpladder.app.contract import Session
from tcpladder.app.detail_view import hidden
from tcpladder.app.dialog import Dialog
from tcpladder.app.named_keys import keymap_of
from tcpladder.errors import TcpladderError
from tcpladder.ladder.pair import Pair, hex_lines
from tcpladder.render.cells import clean, elide

NAME_CELLS, VALUE_CELLS = 22, 23
"""The most of them; a narrow terminal leaves less to the values."""
MOST_HEX = 64
"""Lines of differing bytes: a person sees that they are others long before."""


class PairScreen(Dialog):
    """The diff of two segments of a flow."""

    def __init__(self, session: Session, number: int, pair: Pair, *, ascii_only: bool) -> None:
        super().__init__(ascii_only=ascii_only)
        self._session, self._number, self._pair = session, number, pair

    @property
    def text(self) -> str:
        return "\n".join([*self._head(), "", "reading both frames"])

    def on_mount(self) -> None:
        keys = f"{'jk' if self.ascii_only else '↑↓'} scroll  Esc close"
        self.query_one(VerticalScroll).border_subtitle = keys
        if self._session.mask is not None:
            known = self._table(list(self._pair.fields()))
            gone = [line.text for line in hidden(keymap_of(self.app))]
            self.say("\n".join([*self._head(), "", *known, *gone]))
        else:
            self._read()

    def _head(self) -> Iterator[str]:
        view, pair = self._pair.view, self._pair
        for name, index in (("first", pair.first), ("second", pair.second)):
            yield clean(f"{name:<7} frame {view.frame(index)}  {view.label(index)}", self.ascii_only)

    @work(thread=True, exclusive=True)
    def _read(self) -> None:
        """In a thread: scapy takes a third of a second to import."""
        text = "\n".join(self._compared())
        self.app.call_from_thread(self._show, text)

    def _show(self, text: str) -> None:
        if self.is_attached:
            self.say(text)

    def _compared(self) -> Iterator[str]:
        from tcpladder.store.fields import fields, payload

        pair = self._pair
        try:
            frames = [self._session.frame_bytes(self._number, index) for index in (pair.first, pair.second)]
        except (TcpladderError, OSError) as error:
            yield from [*self._head(), "", f"the bytes of these frames cannot be read again: {error}"]
            return
        types = [pair.view.link_type(index) for index in (pair.first, pair.second)]
        first, second = (fields(*args) for args in zip(frames, types, strict=True))
        data = [
            payload(frame, kind)[: pair.view.length(index) or 0]
            for frame, kind, index in zip(frames, types, (pair.first, pair.second), strict=True)
        ]
        yield from self._head()
        yield ""
        yield clean(pair.answer(data[0], data[1]), self.ascii_only)
        yield ""
        names = dict.fromkeys([*first, *second])
        headers = [(name, first.get(name, "none"), second.get(name, "none")) for name in names]
        yield from self._table([*pair.fields(), *headers])
        yield ""
        yield from self._hex(data[0], data[1])

    def _table(self, rows: list[tuple[str, str, str]]) -> Iterator[str]:
        """What differs, and how much is the same in both."""
        room = min(VALUE_CELLS, (self.columns - NAME_CELLS - 4) // 2)
        yield f"  {'differs':<{NAME_CELLS}} {'first':<{room}} second"
        same = [name for name, one, two in rows if one == two]
        for name, one, two in rows:
            if one != two:
                cells = (elide(one, room, self.ascii_only), elide(two, room, self.ascii_only))
                row = (
                    f"{elide(name, NAME_CELLS, self.ascii_only):<{NAME_CELLS}} {cells[0]:<{room}} {cells[1]}"
                )
                yield clean(f"  {row}", self.ascii_only)
        yield ""
        yield f"  the same in both: {', '.join(same) or 'nothing'}"

    def _hex(self, first: bytes, second: bytes) -> Iterator[str]:
        if not first and not second:
            return
        lines = list(hex_lines(first, second))
        if not lines:
            yield f"  payload, {len(first):,} bytes: the same in both"
            return
        yield f"  payload, {len(first):,} and {len(second):,} bytes: lines that differ"
        for offset, one, two, below in lines[:MOST_HEX]:
            yield f"  {offset:04x}  {one}"
            yield f"        {two}"
            yield f"        {below}"
        if len(lines) > MOST_HEX:
            yield f"  and {len(lines) - MOST_HEX:,} more lines"
