"""What helps a person who types a filter: the rest of a word, and a hand that points at what makes no sense."""

from __future__ import annotations

from textwrap import wrap

from textual.suggester import Suggester

from tcpladder.analysis.flow_filter import FilterError, completions
from tcpladder.render.cells import elide, ellipsis


class FilterSuggester(Suggester):
    """Proposes how the last word goes on; the right arrow takes it."""

    def __init__(self) -> None:
        super().__init__(case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return next(iter(completions(value)), None)


def settled(words: str) -> str:
    """The words without the last one where that is the beginning of a field's name: nothing is to be hidden by it."""
    before, blank, last = words.rpartition(" ")
    return before + blank if ":" not in last and completions(words) else words


def choices(words: str) -> str:
    """What the last word may become."""
    start = words.rfind(" ") + 1
    return "  ".join(choice[start:] for choice in completions(words))


def complaint(words: str, wrong: FilterError, *, width: int, ascii_only: bool) -> str:
    """Three lines of `width` cells that stand above the words: what the last one may become, the reason, a mark above
    the word meant."""
    mark = ("v" if ascii_only else "▁") * (wrong.stop - wrong.start)
    may_become = choices(words) if wrong.stop == len(words) else ""
    lines = 1 if may_become else 2
    reason = wrap(str(wrong), width, max_lines=lines, placeholder=f" {ellipsis(ascii_only)}")
    above = [elide(may_become, width, ascii_only)] if may_become else [""] * (lines - len(reason))
    return "\n".join([*above, *reason, " " * wrong.start + mark])
