"""A capture at a proxy: two clients, the proxy, two servers, one of which stops answering."""

from __future__ import annotations

from pathlib import Path

from talk import START_NS, Talk, write_pcap


def proxied(path: Path) -> Path:
    """Four flows between five hosts: asked, fetched elsewhere, answered; a server that dies and is probed in vain."""
    first = _talk("10.0.0.1", 40001, "10.0.0.9", 3128, after_ms=0).handshake().data(80).ack("server")
    fetch = (
        _talk("10.0.0.9", 51001, "192.168.7.20", 80, after_ms=5)
        .handshake()
        .data(90)
        .data(700, "server")
        .ack()
    )
    first.now_ns = fetch.now_ns + 1_000_000
    first.data(700, "server").ack().fin().fin("server").ack()
    second = _talk("10.0.0.2", 40002, "10.0.0.9", 3128, after_ms=40).handshake().data(60)
    dies = _talk("10.0.0.9", 51002, "192.168.7.21", 443, after_ms=41).handshake()
    dies.silence(60).keepalive().ack("server").silence(60)
    for _ in range(3):
        dies.keepalive(lost=1).silence(10)
    dies.rst()
    second.now_ns = dies.now_ns + 2_000_000
    second.rst("server")
    fetch.silence(1).fin().fin("server").ack()
    frames = [frame for talk in (first, fetch, second, dies) for frame in talk.frames]
    return write_pcap(path, sorted(frames, key=lambda frame: frame.time_ns))


def _talk(client: str, client_port: int, server: str, server_port: int, *, after_ms: int) -> Talk:
    talk = Talk(client_port=client_port, server_port=server_port, now_ns=START_NS + after_ms * 1_000_000)
    talk.sides["client"].address, talk.sides["server"].address = client, server
    return talk
