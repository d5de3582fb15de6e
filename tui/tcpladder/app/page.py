"""What all screens about a session share: a head, a body, a sentence below it, a status line and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, Static

from tcpladder.app import privacy, replay_words, status_words
from tcpladder.app.bar import Bar, Rule, fitting
from tcpladder.app.contract import Awaiting, Session, SessionStatus
from tcpladder.app.named_keys import named
from tcpladder.app.rebinding import Rebindable
from tcpladder.app.terminal import Taste
from tcpladder.render.cells import clean, elide

if TYPE_CHECKING:
    from tcpladder.app.feed import Feed


class Page(Rebindable, Screen[None], inherit_bindings=False):
    """A screen that follows a session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_pane(1)", "next pane", show=False),
        Binding("shift+tab", "next_pane(-1)", "previous pane", show=False),
        Binding("z", "zoom", "maximise this pane"),
        Binding("y", "copy", "copy this row"),
        Binding("i", "app.interfaces", "interfaces"),
        Binding("p", "pause", "pause, go on"),
        Binding("e,f2", "export", "export to a file"),
        Binding("w", "save", "save frames, as pcapng or pcap"),
        Binding("L", "narration", "lab: what it does, what comes next"),
    ]
    DEFAULT_CSS = """
    Page { layers: base; }
    Page #head { text-style: bold; }
    Page #why { height: 2; padding: 0 1; }
    Page #keys { color: $text-muted; }
    Page Input { display: none; height: 1; border: none; }
    Page Input.-open { display: block; padding: 0 1; }
    """
    FAULT_KEYS: ClassVar[frozenset[str]] = frozenset({"D fault", "U lift"})
    """Those of KEYS that are grey and in brackets where nothing can be broken."""
    KEYS: ClassVar[str] = ""
    """The keys that the last line names; the rest is in the help."""

    def __init__(self, session: Session, feed: Feed, taste: Taste) -> None:
        super().__init__()
        self.session = session
        self.feed = feed
        self.taste = taste
        self.ascii_only = taste.ascii_only
        self.head = Bar(id="head", ascii_only=taste.ascii_only)
        self.status = Bar(id="status", ascii_only=taste.ascii_only)
        self.why = Static(id="why", markup=False)
        self._keys = Bar(id="keys", ascii_only=taste.ascii_only)
        self.prompt = Input(id="prompt", compact=True)
        self.paused_at: int | None = None
        """Segments that had been seen when a person stopped the screen; None while it goes on."""

    def compose(self) -> ComposeResult:
        yield self.head
        yield from self.compose_body()
        yield Rule("-" if self.ascii_only else "─")
        yield self.why
        yield self.prompt
        yield self.status
        yield self._keys

    def compose_body(self) -> ComposeResult:
        """The widgets between head and rule."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.call_after_refresh(self.on_screen_resume)

    @on(Resize)
    def say_keys(self, event: Resize) -> None:
        """The keys that fit, and always the one that tells the others."""
        keys = self.KEYS.replace("↑↓", "jk") if self.ascii_only else self.KEYS
        before, help_, after = keys.partition("? help")
        names = before.split("  ")[:-1]
        greyed = self.FAULT_KEYS if self._unbreakable else frozenset()
        shown = [f"({self._as_bound(name)})" if name in greyed else self._as_bound(name) for name in names]
        last = self._as_bound(help_ + after)
        shown = shown[: fitting(shown, last, event.size.width)]
        styles = ("dim" if name in greyed else "" for name in names)
        parts = [*zip(shown, styles, strict=False), (last, "")]
        self._keys.say(Content.assemble(" ", Content("  ").join(Content.styled(*part) for part in parts)))

    @property
    def _unbreakable(self) -> bool:
        """Whether nothing can be broken. A capture is not asked: its answer loads what talks to the agent."""
        return self.session.status().mode in ("file", "replay") or bool(self.session.faults.why_not)

    def named(self, sentence: str) -> str:
        """A sentence with the keys that the actions in it have now; see named_keys.py."""
        return named(sentence, self.taste.keymap)

    def said_by(self, status: SessionStatus) -> str:
        """What the session has to say, the worst first; empty where all is well."""
        waits = isinstance(self.session, Awaiting) and self.session.awaits_its_user
        notice = f"{status.notice}: {self.named('{narration:L} says which, n in there takes it')}"
        return status_words.alarm(status) or (notice if waits else status.notice)

    def _as_bound(self, hint: str) -> str:
        """A hint with the keys that the settings have given its actions."""
        if not self.taste.keymap:
            return hint
        from tcpladder.app.keymap import rewritten  # few have keys of their own

        context = [type(self), type(self.app)]
        focused = [] if self.focused is None else [type(self.focused)]
        return rewritten(hint, [*focused, *context], self.taste.keymap)

    def on_screen_resume(self) -> None:
        if self.is_mounted:
            self.show(self.session.status())

    def show(self, status: SessionStatus) -> None:
        """Draw what changed since the last time."""
        if self.paused_at is None:
            self.show_body(status)
        self.show_lines(status)

    @property
    def settled(self) -> bool:
        """Whether there is nothing to do until the session changes again."""
        return True

    @property
    def racing(self) -> bool:
        """Whether more is new at each look than a person can read."""
        return False

    def show_body(self, status: SessionStatus) -> None:
        """Draw what changed in the body; not called while paused."""

    def show_lines(self, status: SessionStatus) -> None:
        """Draw the lines around the body."""

    def say_status(self, status: SessionStatus, left: str) -> None:
        """The status line: what stopped or what is wrong comes before everything else.

        Where it gets narrow, the keys that are off give way first, then `left`, then the privilege.
        """
        parts: list[Content | tuple[str, str]] = [Content(" ")]
        if self.paused_at is not None:
            parts.append(
                (f" {self.named(status_words.paused(status.segments - self.paused_at))} ", "reverse")
            )
            parts.append(Content("  "))
        if status.behind_ns is not None:
            parts.append((f" {replay_words.behind(status.behind_ns)} ", "reverse"))
            parts.append(Content("  "))
        parts.append((privacy.word(self.session), "bold"))
        parts.append(status_words.counters(status))
        if status.faults:
            from tcpladder.app import fault_words  # most sessions have none

            broken = fault_words.faults(status)
            parts += [Content("  "), (f" {broken} ", "bold $text-warning reverse")]
        said = Content.assemble(*parts, f"  {left}")
        in_full, word = status_words.privilege(status, self.taste.keymap)
        fits = said.cell_length + len(in_full) + 3 <= self.size.width
        there_is_room = Content.assemble(*parts).cell_length + len(word) + 2 <= self.size.width
        self.status.say(said, f"{in_full if fits else word} " if there_is_room else "")

    def say_why(self, words: str) -> None:
        """The two lines below the rule."""
        if self.ascii_only:
            words = "\n".join(clean(line, True) for line in words.splitlines())
        if words != self.why.content:
            self.why.update(words, layout=False)

    def action_narration(self) -> None:
        from tcpladder.app.narration_screen import Narrated, NarrationScreen

        if isinstance(self.session, Narrated):
            self.app.push_screen(NarrationScreen(self.session, ascii_only=self.ascii_only))
        else:
            self.notify("no experiment runs here: `tcpladder lab` lists them", markup=False)

    def action_pause(self) -> None:
        status = self.session.status()
        if self.paused_at is not None:
            self.paused_at = None
        elif status.phase == "ended":
            self.notify("nothing to pause: the session has ended", markup=False)
            return
        else:
            self.paused_at = status.segments
        self.on_pause(self.paused_at is not None)
        self.show(status)

    def on_pause(self, paused: bool) -> None:
        """Stop or go on drawing changes."""

    def mask_changed(self) -> None:
        """Draw again what shows addresses or bytes, even where it does not follow the session now."""

    # Panes

    def action_next_pane(self, step: int) -> None:
        if step > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_zoom(self) -> None:
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)

    def action_save(self) -> None:
        from tcpladder.app import saving  # what the first frame does without

        saving.ask(self)

    # Words typed at the bottom

    def ask(self, placeholder: str, value: str) -> None:
        """Open the line at the bottom for words; the page handles Input.Changed and Input.Submitted."""
        if self.maximized is not None:
            self.minimize()  # or nobody sees what is typed
        self.prompt.placeholder = elide(placeholder, max(1, self.size.width - 3), self.ascii_only)
        with self.prompt.prevent(Input.Changed):
            self.prompt.value = value
        self.prompt.add_class("-open")
        self.prompt.focus()

    def close_prompt(self) -> bool:
        """Close that line. False if it was not open."""
        if not self.prompt.has_class("-open"):
            return False
        self.prompt.remove_class("-open")
        self.focus_body()
        return True

    def focus_body(self) -> None:
        """Give the keys back to the body."""
        raise NotImplementedError

    def go_back(self) -> bool:
        """Undo the last step inside the page: a prompt, a zoom. False if there is none, so the page itself closes."""
        if self.close_prompt():
            return True
        if self.maximized is not None:
            self.minimize()
            return True
        return False

    def row_text(self) -> str:
        """What `y` copies."""
        return ""

    @property
    def flows_to_export(self) -> list[int]:
        """The numbers of the flows that this page is about."""
        return []

    @property
    def exports_together(self) -> bool:
        """Whether several of them are drawn on one ladder."""
        return False

    def action_export(self) -> None:
        from tcpladder.app.export_dialog import ExportDialog  # loads what draws and writes

        if not self.flows_to_export:
            self.notify("there is no flow to export", markup=False)
            return
        flows, together = self.flows_to_export, self.exports_together
        self.app.push_screen(ExportDialog(self.session, flows, self.taste, together=together))

    def action_copy(self) -> None:
        text = self.row_text()
        if not text:
            self.notify("nothing to copy here", markup=False)
            return
        from tcpladder.app import clipboard

        rows = text.count("\n") + 1
        clipboard.copy(self.app, text, "this row" if rows == 1 else f"{rows:,} rows")
