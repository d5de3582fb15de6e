"""The names that the user gave to addresses, kept in the state directory."""

from __future__ import annotations

from tcpladder.errors import SettingsError
from tcpladder.store.state_file import read_state, state_file, write_state

_FILE = "aliases.json"
MOST_LETTERS = 40


def kept_aliases() -> dict[str, str]:
    """Address -> name; none where nothing was kept, or it cannot be read."""
    try:
        kept = read_state(_FILE)
    except (OSError, ValueError, RuntimeError):
        return {}
    pairs = kept.items() if isinstance(kept, dict) else ()
    return {str(address): str(name) for address, name in pairs if is_alias(str(name))}


def keep_aliases(aliases: dict[str, str]) -> None:
    """Keep them for the next time. Raises SettingsError where that cannot be done."""
    try:
        write_state(_FILE, aliases)
    except (OSError, RuntimeError) as refused:
        words = (getattr(refused, "strerror", None) or str(refused)).lower()
        raise SettingsError(f"cannot keep the names in {state_file(_FILE)}: {words}") from None


def is_alias(name: str) -> bool:
    """Whether a name can stand in front of a port: short, printable, without a blank and without a colon."""
    return 0 < len(name) <= MOST_LETTERS and name.isprintable() and not set(name) & set(" :[]")
