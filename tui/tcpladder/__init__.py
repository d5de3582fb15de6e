"""tcpladder: live ladder diagrams of TCP connections, and which timer caused each silence.

    sources -> wire -> flows -> analysis -> ladder -> render -> stdout, files, app

Data moves left to right and never back. `wire`, `flows`, `analysis` and `ladder` are pure: no socket, no clock,
no file, no thread, no terminal; "now" is an argument. `agent` is the only code with privilege. `session` wires the
rooms together, `cli` chooses the front end. docs/ARCHITECTURE.md has the drawing and the rules.
"""

__version__ = "0.1.0"
