"""Draw the pictures of this folder with demos: the real app, the real captures, keys pressed as a person would.

A picture is how a script of this folder ends; a film is a demo that comes with tcpladder.

    python screenshots/draw.py [--check]

--check draws them elsewhere and says which are not what the app draws now. Nothing here is drawn by hand.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL_")]:
    del os.environ[name]
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"

from tcpladder.demonstrating import recorded  # noqa: E402 - Textual reads the environment when it is imported
from tcpladder.record import demo_script  # noqa: E402
from tcpladder.record.cast_svg import animated, still  # noqa: E402
from tcpladder.record.frames import film  # noqa: E402
from tcpladder.render.formats import Format  # noqa: E402
from tcpladder.render.png import png  # noqa: E402
from tcpladder.session.export import Wish, content  # noqa: E402
from tcpladder.session.files import FileSession  # noqa: E402

HERE = Path(__file__).resolve().parent
FILMS = ("keepalive",)
CAPTURE = HERE.parent / "captures" / "keepalive"
ALSO_AS_PNG = ("export.svg", "ladder.svg")
"""For where SVG is not shown."""


def export(capture: Path) -> bytes:
    """The drawing that `tcpladder export` makes of the capture's first flow."""
    session = FileSession([capture.name])
    for _ in session.read():
        pass
    return b"".join(content(session, Wish(form=Format.SVG, flows=[1]), UTC))


def pictures() -> Iterator[tuple[str, bytes]]:
    """The screen with which each script of this folder ends."""
    for script in sorted(HERE.glob("*.toml")):
        demo = demo_script.load(str(script))
        *_, last = film(recorded(demo))
        yield f"{script.stem}.svg", still(last.screen, demo.title).encode()


def films() -> Iterator[tuple[str, bytes]]:
    """Demos, as asciicast and as film."""
    for name in FILMS:
        cast = recorded(demo_script.load(name))
        lines = [cast.header.line(), *(event.line(0) for event in cast.events)]
        yield f"{name}.cast", "".join(f"{line}\n" for line in lines).encode()
        yield f"{name}.svg", animated(list(film(cast)), cast.header.title).encode()


def drawn() -> Iterator[tuple[str, bytes]]:
    """Every file of this folder that is drawn: its name and what is in it."""
    yield from pictures()
    yield from films()
    (capture,) = CAPTURE.glob("*.pcap*")
    os.chdir(capture.parent)
    yield "export.svg", export(capture)


def main() -> None:
    """Draw every picture, or compare. A PNG depends on librsvg and its fonts, so it only has to be there."""
    check = sys.argv[1:] == ["--check"]
    old = []
    for name, data in drawn():
        path = HERE / name
        as_png = path.with_suffix(".png") if name in ALSO_AS_PNG else None
        if check:
            if not path.exists() or path.read_bytes() != data:
                old.append(name)
            if as_png is not None and not as_png.exists():
                old.append(as_png.name)
            continue
        path.write_bytes(data)
        print(name)
        if as_png is not None:
            as_png.write_bytes(png(data.decode()))
            print(as_png.name)
    if old:
        sys.exit(f"not what the app draws now: {', '.join(old)}; run make screenshots and look at them")


if __name__ == "__main__":
    main()
