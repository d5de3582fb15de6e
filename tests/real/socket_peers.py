"""A client and a server in one process, with socket options, perhaps of another user: `socket_peers.py JSON`.

Prints one JSON line when connected, and lives until its stdin ends.
"""

from __future__ import annotations

import json
import os
import socket
import sys

told = json.loads(sys.argv[1])
if told.get("uid"):
    os.setresuid(told["uid"], told["uid"], told["uid"])
family = socket.AF_INET6 if told.get("dual") else socket.AF_INET
server = socket.create_server(
    ("::" if told.get("dual") else "127.0.0.1", 0), family=family, dualstack_ipv6=bool(told.get("dual"))
)
client = socket.socket()
for level, number, value in told.get("options", []):
    client.setsockopt(level, number, value)
client.connect(("127.0.0.1", server.getsockname()[1]))
accepted, _ = server.accept()
if told.get("full"):
    # The server never reads: its window closes, and the client's persist timer runs.
    client.setblocking(False)
    try:
        while True:
            client.send(bytes(1 << 16))
    except BlockingIOError:
        pass
if told.get("close"):
    client.close()
    accepted.close()
ends = {"client": told.get("close") or client.getsockname()[1], "server": server.getsockname()[1]}
sys.stdout.write(json.dumps({"pid": os.getpid(), **ends}) + "\n")
sys.stdout.flush()
sys.stdin.read()
