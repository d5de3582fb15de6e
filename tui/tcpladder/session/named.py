"""A capture whose ends are shown by other names: those that a text listing gives, or what a privacy mask puts there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from tcpladder.analysis.activity import Activity
from tcpladder.analysis.capture import Beliefs, CaptureAnalysis
from tcpladder.analysis.view import Endpoint

if TYPE_CHECKING:
    from tcpladder.ladder.privacy import Mask


class NamedCapture(CaptureAnalysis):
    """CaptureAnalysis with `names` (address -> name, may grow) as the endpoints, and summaries as the mask shows them.

    What is judged by the endpoints, such as whose sockets they are, never sees the mask.
    """

    def __init__(
        self,
        salt: bytes,
        beliefs: Beliefs,
        *,
        keep_segments: bool,
        columns: Collection[str] | None = None,
        activity: Activity | None,
        names: Mapping[str, str],
        mask: Callable[[], Mask | None] = lambda: None,
        aliases: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        super().__init__(salt, beliefs, keep_segments=keep_segments, columns=columns, activity=activity)
        self._names = names
        self._mask = mask
        self._aliases = aliases

    def shown_ends(self, number: int) -> tuple[Endpoint, Endpoint]:
        """As they are, by the names that the user gave, or masked where a mask is on."""
        ends, mask = self.endpoints(number), self._mask()
        if mask is not None:
            return mask.endpoint(ends[0]), mask.endpoint(ends[1])
        aliases = self._aliases()
        return (_called(ends[0], aliases), _called(ends[1], aliases)) if aliases else ends

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow, by name where it has one."""
        client, server = super().endpoints(number)
        return self._named(client), self._named(server)

    def _named(self, endpoint: Endpoint) -> Endpoint:
        return Endpoint(self._names.get(endpoint.address, endpoint.address), endpoint.port)


def _called(end: Endpoint, aliases: Mapping[str, str]) -> Endpoint:
    name = aliases.get(end.address)
    return end if name is None else Endpoint(end.address, end.port, name)
