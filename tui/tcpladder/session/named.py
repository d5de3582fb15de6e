"""A capture whose hosts have names: those that a text listing gives in place of addresses."""

from __future__ import annotations

from collections.abc import Mapping

from tcpladder.analysis.capture import Beliefs, CaptureAnalysis
from tcpladder.analysis.view import Endpoint


class NamedCapture(CaptureAnalysis):
    """CaptureAnalysis with `names` (address -> name, may grow) shown as the endpoints."""

    def __init__(
        self, salt: bytes, beliefs: Beliefs, *, keep_segments: bool, names: Mapping[str, str]
    ) -> None:
        super().__init__(salt, beliefs, keep_segments=keep_segments)
        self._names = names

    def endpoints(self, number: int) -> tuple[Endpoint, Endpoint]:
        """Client and server of a flow, by name where it has one."""
        client, server = super().endpoints(number)
        return self._named(client), self._named(server)

    def _named(self, endpoint: Endpoint) -> Endpoint:
        return Endpoint(self._names.get(endpoint.address, endpoint.address), endpoint.port)
