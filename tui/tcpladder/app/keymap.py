"""Which keys there are in which context, and the user's own: checked, so that no context has a key twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys, _character_to_key

from tcpladder.app.help_screen import KEY_NAMES, SIGNS_TYPED, key_name
from tcpladder.settings.file import KEYS, Settings
from tcpladder.settings.reader import toml

Context = Sequence[type[DOMNode]]
_NAMED = {name.lower(): key for key, name in KEY_NAMES.items() if len(name) > 1} | {
    "up": "up", "down": "down", "esc": "escape", "del": "delete", "ins": "insert",
}  # fmt: skip
_KNOWN = frozenset(key.value for key in Keys if key.value[0] not in "<c") | set(KEY_NAMES)
"""Keys with a name; those with ctrl, shift or alt are made from them."""


def contexts() -> dict[str, Context]:
    """What takes keys together: the widget with the focus, its page, the app. Loads every page."""
    from tcpladder.app.app import TcpladderApp
    from tcpladder.app.detail_screen import DetailScreen
    from tcpladder.app.detail_view import DetailView
    from tcpladder.app.flow_table import FlowTable
    from tcpladder.app.flows_screen import FlowsScreen
    from tcpladder.app.ladder_screen import LadderScreen
    from tcpladder.app.ladder_view import LadderView
    from tcpladder.app.replay_screens import ReplayFlowsScreen, ReplayLadderScreen
    from tcpladder.app.timers_view import TimersView

    return {
        "flows": (FlowTable, FlowsScreen, TcpladderApp),
        "timers beside the flows": (TimersView, FlowsScreen, TcpladderApp),
        "replayed flows": (FlowTable, ReplayFlowsScreen, TcpladderApp),
        "ladder": (LadderView, LadderScreen, TcpladderApp),
        "ladder, second pane": (DetailView, LadderScreen, TcpladderApp),
        "ladder, third pane": (TimersView, LadderScreen, TcpladderApp),
        "replayed ladder": (LadderView, ReplayLadderScreen, TcpladderApp),
        "detail": (DetailView, DetailScreen, TcpladderApp),
    }


def bindings(context: Context) -> Iterator[Binding]:
    """Every binding of a context that the settings can change, a key each."""
    for node in context:
        for found in node._merge_bindings().key_to_bindings.values():
            yield from (one for one in found if one.id is not None)


def actions() -> dict[str, list[Binding]]:
    """Name of an action -> its bindings by default, a key each, in the order of the contexts."""
    found: dict[str, list[Binding]] = {}
    for context in contexts().values():
        for binding in bindings(context):
            one = found.setdefault(binding.id or "", [])
            if binding.key not in [other.key for other in one]:
                one.append(binding)
    return found


def keymap_of(settings: Settings) -> dict[str, str]:
    """Name of an action -> its keys, with commas, as Textual takes them: those that the user has changed.

    Raises SettingsError for an action or a key that there is not, and for a key that a context would have twice.
    """
    if not settings.keys:
        return {}
    reader, there_are = settings.reader, actions()
    reader.known((KEYS,), settings.keys, there_are)
    chosen: dict[str, str] = {}
    for name, written in settings.keys.items():
        keys = [key_of(one) for one in written]
        for key, words in zip(keys, written, strict=True):
            if not _is_key(key):
                reader.chosen((KEYS, name), [words], sorted(_KNOWN), "key")
        if keys != [one.key for one in there_are[name]]:  # a screen may give some of them to another action
            chosen[name] = ",".join(keys)
    for where, context in contexts().items():
        _check(settings, where, context, chosen)
    return chosen


def _check(settings: Settings, where: str, context: Context, chosen: Mapping[str, str]) -> None:
    """Refuse a key that two actions of a context would have."""
    taken: dict[str, str] = {}
    names = list(dict.fromkeys(one.id or "" for one in bindings(context)))
    default = {(one.key, one.id) for one in bindings(context)}
    # What the user says last, so that an error is about a line of the file.
    for name in sorted(names, key=lambda one: one in chosen):
        keys = chosen[name].split(",") if name in chosen else [k for k, own in default if own == name]
        for key in keys:
            if key in taken:
                words = f"{as_typed(key)} is the key of {taken[key]} in {where}; give one of them another"
                raise settings.reader.wrong((KEYS, name), words)
            taken[key] = name


def key_of(words: str) -> str:
    """A key as Textual calls it: `/`, `F3`, `PgUp`, `^b`, `Ctrl+b`, `question_mark`."""
    if len(words) == 1:
        return _character_to_key(words)
    small = words.lower()
    if len(words) == 2 and words[0] == "^":
        return f"ctrl+{small[1]}"
    return _NAMED.get(small, small)


def as_typed(key: str) -> str:
    """A key as one would write it into the settings: `/`, `ctrl+b`, `f3`."""
    return SIGNS_TYPED.get(key, key)


def _is_key(key: str) -> bool:
    """Whether a terminal could send it."""
    modifiers, _, last = key.rpartition("+")
    if set(modifiers.split("+")) - {"", "ctrl", "shift", "alt"}:
        return False
    return len(last) == 1 or last in _KNOWN or last in SIGNS_TYPED


def rewritten(hint: str, context: Context, keymap: Mapping[str, str]) -> str:
    """`/ filter` with the key that the action has now; the words are no keys, and stay."""
    changed = {one.key: keymap[one.id or ""] for one in bindings(context) if one.id in keymap}
    words = [changed.get(key_of(word), word) if word else word for word in hint.split(" ")]
    return " ".join(key_name(word.partition(",")[0]) for word in words)


def in_force(settings: Settings) -> list[str]:
    """The table [keys] as TOML: each action, what it does, and where its keys come from."""
    chosen = keymap_of(settings)
    written = [f"[{KEYS}]"]
    for name, found in actions().items():
        keys = chosen[name].split(",") if name in chosen else [one.key for one in found]
        origin = settings.reader.origin((KEYS, name))
        written.append(f"{name} = {toml([*map(as_typed, keys)])}  # {origin}: {found[0].description}")
    return written


def sample() -> str:
    """The table [keys] with everything as it is by default, commented out."""
    head = """
[keys]
# A list of keys for an action: "f3", "/", "ctrl+b", "PgUp". A key that a screen would have twice is an error.
"""
    lines = [
        f"# {name} = {toml([as_typed(one.key) for one in found])}  # {found[0].description}\n"
        for name, found in actions().items()
    ]
    return head + "".join(lines)
