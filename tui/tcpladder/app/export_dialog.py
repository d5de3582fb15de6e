"""The dialog that exports flows: format, colours, privacy, and under which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcpladder.app.choice import Choice
from tcpladder.app.contract import Session
from tcpladder.app.named_keys import named
from tcpladder.app.terminal import Taste
from tcpladder.errors import TcpladderError
from tcpladder.ladder.privacy import Mask
from tcpladder.render import formats
from tcpladder.render.formats import SEVERAL_FLOWS, SUFFIXES, TOGETHER, Format
from tcpladder.render.palette import Theme
from tcpladder.session.export import Wish, content, save

_MASKS = ("as on the screen", "addresses", "addresses and ports")
_KEYS = "↑↓ field  ←→ choose  enter write it  esc cancel"
_FRAMES = "a drawing or a table; the frames themselves, as pcapng: esc, then {save:w}"


class ExportDialog(ModalScreen[None], inherit_bindings=False):
    """Asks how, writes, and says where the file is; a file that is there is written over only when asked again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,shift+tab", "app.focus_previous", "field before", show=False),
        Binding("down,tab", "app.focus_next", "next field", show=False),
        Binding("enter", "write", "write the file"),
        Binding("escape", "dismiss", "cancel"),
    ]
    DEFAULT_CSS = """
    ExportDialog { align: center middle; }
    ExportDialog Vertical { width: 78; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; padding: 0 1; background: $surface; }
    ExportDialog.-ascii Vertical { border: ascii $accent; }
    ExportDialog Static { height: auto; }
    ExportDialog Horizontal { height: auto; }
    ExportDialog .name { color: $text-muted; width: 10; }
    ExportDialog #title { text-style: bold; max-height: 3; }
    ExportDialog #frames { color: $text-muted; margin-bottom: 1; }
    ExportDialog Input { height: 1; width: 1fr; border: none; padding: 0 1; background: $boost; }
    ExportDialog #said { min-height: 2; margin-top: 1; color: $text-warning; }
    ExportDialog #keys { color: $text-muted; }
    """

    def __init__(
        self, session: Session, flows: Sequence[int], taste: Taste, *, together: bool = False
    ) -> None:
        super().__init__()
        self._together = together and len(flows) > 1
        """Whether they are drawn on one ladder."""
        self._session, self._flows, self._taste = session, list(flows), taste
        self._overwrite: Path | None = None
        """The file that is there, and that a person was asked about."""
        self._named = ""
        """The name that we gave; another one was typed."""
        self.set_class(taste.ascii_only, "-ascii")
        several = TOGETHER if self._together else SEVERAL_FLOWS
        forms = [form for form in Format if len(flows) == 1 or form in several]
        self._form = Choice(id="form", words=forms)
        self._form.chosen = forms.index(Format.SVG if Format.SVG in forms else Format.HTML)
        self._theme = Choice(id="theme", words=list(Theme))
        self._privacy = Choice(id="privacy", words=_MASKS)
        self._file = Input(id="file", compact=True)
        self._said = Static(id="said", markup=False)

    def compose(self) -> ComposeResult:
        keys = "jk field  hl choose  enter write it  esc cancel" if self._taste.ascii_only else _KEYS
        with Vertical():
            yield Static(self._title(), id="title", markup=False)
            yield Static(named(_FRAMES, self._taste.keymap), id="frames", markup=False)
            for name, widget in (
                ("format", self._form),
                ("theme", self._theme),
                ("privacy", self._privacy),
                ("file", self._file),
            ):
                yield Horizontal(Static(name, classes="name", markup=False), widget)
            yield self._said
            yield Static(keys, id="keys", markup=False)

    def on_mount(self) -> None:
        self._name_file()
        self._form.focus()

    def _title(self) -> str:
        if len(self._flows) > 1:
            return f"Export {len(self._flows)} flows" + (", on one ladder" if self._together else "")
        summary = self._session.summary(self._flows[0])
        arrow = "->" if self._taste.ascii_only else "→"
        return f"Export flow {summary.number}, {summary.client} {arrow} {summary.server}"

    @property
    def form(self) -> Format:
        """The chosen one."""
        return Format(self._form.word)

    @property
    def path(self) -> Path:
        """Where it will be written."""
        return Path(self._file.value.strip()).expanduser()

    @on(Choice.Changed)
    def _choice_changed(self) -> None:
        self._ask_again()
        row = self._theme.parent
        if isinstance(row, Horizontal):
            row.display = self.form in (Format.SVG, Format.PNG, Format.HTML)
        if self._file.value == self._named:
            self._name_file()
        else:
            self._file.value = str(PurePath(self._file.value).with_suffix(SUFFIXES[self.form][0]))

    @on(Input.Changed)
    def _ask_again(self) -> None:
        self._overwrite = None
        self._said.update(f"in {Path.cwd()}")

    def _name_file(self) -> None:
        source = PurePath(self._session.sources[0]).name
        stem = "stdin" if source == "-" else self._session.masked(source).split(".pcap")[0].replace(" ", "-")
        what = f"flow{self._flows[0]}" if len(self._flows) == 1 else "flows"
        self._named = f"{stem}-{what}{SUFFIXES[self.form][0]}"
        self._file.value = self._named

    @on(Input.Submitted)
    def action_write(self) -> None:
        if not self._file.value.strip():
            self._said.update("say under which name")
            return
        self._said.update("writing")
        self._write(self._wish(), self.path, overwrite=self._overwrite == self.path)

    def _wish(self) -> Wish:
        ports = self._privacy.chosen == 2
        taste = formats.Taste(theme=Theme(self._theme.word), ascii_only=self._taste.ascii_only)
        wish = Wish(form=self.form, flows=self._flows, together=self._together, taste=taste)
        return replace(wish, mask=Mask(ports=ports)) if self._privacy.chosen else wish

    @work(thread=True, exclusive=True)
    def _write(self, wish: Wish, path: Path, *, overwrite: bool) -> None:
        """In a thread: a picture takes a second, and a long flow more."""
        try:
            size = save(path, content(self._session, wish, self._taste.timezone), overwrite=overwrite)
        except FileExistsError:
            self.app.call_from_thread(self._ask_about, path)
        except TcpladderError as refused:
            self.app.call_from_thread(self._said.update, str(refused))
        else:
            self.app.call_from_thread(self._done, path, size)

    def _ask_about(self, path: Path) -> None:
        self._overwrite = path
        self._said.update(f"{path} is there already: enter again writes over it, or choose another name")

    def _done(self, path: Path, size: int) -> None:
        self.app.notify(f"{self.form}, {size:,} bytes: {path.absolute()}", markup=False, timeout=8)
        self.dismiss()
