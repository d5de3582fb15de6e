"""A capture whose ends are shown by other names: those that a text listing gives, or what a privacy mask puts there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tcpladder.analysis.activity import Activity
from tcpladder.analysis.capture import Beliefs, CaptureAnalysis
from tcpladder.analysis.view import Endpoint
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
        activity: Activity | None,
        names: Mapping[str, str],
        mask: Callable[[], Mask | None] = lambda: None,
    ) -> None:
        super().__init__(salt, beliefs, keep_segments=keep_segments, activity=activity)
        self._names = names
        self._mask = mask

    def shown_ends(self, number: int) -> tuple[Endpoint, Endpoint]:
        """As they are, or masked where a mask is on."""
        ends, mask = self.endpoints(number), self._mask()
        return ends if mask is None else (mask.endpoint(ends[0]), mask.endpoint(ends[1]))

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow, by name where it has one."""
        client, server = super().endpoints(number)
        return self._named(client), self._named(server)

    def _named(self, endpoint: Endpoint) -> Endpoint:
        return Endpoint(self._names.get(endpoint.address, endpoint.address), endpoint.port)
