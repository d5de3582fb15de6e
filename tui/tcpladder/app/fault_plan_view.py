"""What the fault that is chosen comes to: why it is refused, the script and its undo, or why it is done there."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_letters

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from tcpladder.agent.fault_messages import FaultPlan
from tcpladder.app.field import Field
from tcpladder.faults.fault import INSIST
from tcpladder.render.cells import clean


def whole(plan: FaultPlan) -> str:
    """The script and its undo; nothing where there is no way to do it."""
    return f"{plan.script.strip()}\n\n# undo\n{plan.undo.strip()}" if plan.script else ""


class PlanView(Vertical):
    """Draws a plan, or what is wrong with what is chosen. `masked`: a text as the privacy mask shows it."""

    DEFAULT_CSS = """
    PlanView { height: 1fr; }
    PlanView #refused { color: $text-error; text-style: bold; height: auto; display: none; }
    PlanView #refused.-open { display: block; }
    PlanView #news { color: $text-warning; height: auto; display: none; }
    PlanView #news.-open { display: block; }
    PlanView VerticalScroll { height: 1fr; min-height: 2; scrollbar-size-vertical: 1; }
    PlanView #script { height: auto; }
    PlanView #place { height: auto; max-height: 2; color: $text-muted; }
    PlanView.-low #place { display: none; }
    """

    def __init__(self, masked: Callable[[str], str], *, ascii_only: bool) -> None:
        super().__init__()
        self._masked, self._ascii = masked, ascii_only
        self._plan: FaultPlan | None = None
        self._wrong = ""
        self._shows_why = False
        # Held here: the answer to a plan may come when the dialog has just been closed, and its widgets are gone.
        self._news, self._refused = Static(id="news", markup=False), Static(id="refused", markup=False)
        self._script, self._place = Static(id="script", markup=False), Static(id="place", markup=False)
        self._insist = Field("insist", "", takes=ascii_letters, placeholder=INSIST, ascii_only=ascii_only)

    def compose(self) -> ComposeResult:
        yield self._news
        yield self._refused
        yield self._insist
        with VerticalScroll(can_focus=False):
            yield self._script
        yield self._place

    def on_mount(self) -> None:
        self._insist.remark(f"type {INSIST} to break it all the same")

    @property
    def insists(self) -> bool:
        """Whether the word was typed."""
        return self._insist.text.lower() == INSIST

    def tell(self, news: str) -> None:
        """Say what became of the flow meanwhile."""
        self._news.set_class(bool(news), "-open")
        self._news.update(news)

    def show(self, plan: FaultPlan | None, wrong: str = "") -> None:
        """Draw a plan, or what is wrong."""
        self._plan, self._wrong = plan, wrong
        self.draw()

    def draw(self) -> None:
        """Draw it again: the mask is another one."""
        if not self.is_attached:
            return
        plan, refused, script, place = self._plan, self._refused, self._script, self._place
        sentence = self._wrong or (plan.refused if plan is not None else "")
        refused.set_class(bool(sentence), "-open")
        refused.update(self._clean(f"refused: {sentence}" if plan is not None and sentence else sentence))
        self._insist.open(plan is not None and plan.needs_insist and bool(plan.refused))
        if plan is None:
            script.update("")
            place.update("")
            return
        script.update(self._clean(plan.why if self._shows_why else whole(plan)))
        place.update(
            "" if self._shows_why else self._clean(f"{plan.why.partition('. ')[0].removesuffix('.')}.")
        )

    def turn(self) -> None:
        """From the script to the reason, and back."""
        self._shows_why = not self._shows_why
        self.draw()

    def ask_for_the_word(self) -> None:
        """Put the cursor where it goes."""
        self.call_after_refresh(self._insist.input.focus)

    def scroll_script(self, lines: int) -> None:
        """So many lines down."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()  # the word changes nothing of the plan

    def _clean(self, text: str) -> str:
        return "\n".join(clean(line.expandtabs(4), self._ascii) for line in self._masked(text).splitlines())
