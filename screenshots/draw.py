"""Draw the pictures of this folder from the captures: the real app, the real file, keys pressed as a person would.

    python screenshots/draw.py [--check]

--check draws them elsewhere and says which are not what the app draws now. Nothing here is drawn by hand.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL_")]:
    del os.environ[name]
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"

from tcpladder.app.app import Taste, TcpladderApp  # noqa: E402 - Textual reads the environment when it is imported
from tcpladder.demonstrating import recorded  # noqa: E402
from tcpladder.record import demo_script  # noqa: E402
from tcpladder.record.cast_svg import animated  # noqa: E402
from tcpladder.record.frames import film  # noqa: E402
from tcpladder.render.formats import Format  # noqa: E402
from tcpladder.render.png import png  # noqa: E402
from tcpladder.session.export import Wish, content  # noqa: E402
from tcpladder.session.files import FileSession  # noqa: E402

HERE = Path(__file__).resolve().parent
FILMS = ("keepalive",)
CAPTURES = HERE.parent / "captures" / "keepalive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A screen, and the keys that lead to it."""

    name: str
    keys: tuple[str, ...]
    size: tuple[int, int] = (80, 24)


PICTURES = (
    Picture(name="flows", keys=()),
    Picture(name="ladder", keys=("enter", "end")),
    Picture(name="ladder-wide", keys=("enter", "end"), size=(140, 36)),
    Picture(name="detail", keys=("enter", "end", "enter")),
    Picture(name="help", keys=("enter", "question_mark"), size=(80, 36)),
)

ALSO_AS_PNG = ("export.svg",)
"""For where SVG is not shown; librsvg places the words of a screen by their blanks, and loses some."""


async def draw(picture: Picture, capture: Path) -> str:
    """The screen as SVG."""
    app = TcpladderApp(FileSession([capture.name], read_again=True), taste=Taste(timezone=UTC))
    async with app.run_test(size=picture.size) as pilot:
        while app.session.status().phase != "ended":
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        for key in picture.keys:
            await pilot.press(key)
            await pilot.pause(0.5)
        return still(app.export_screenshot(title=f"tcpladder open {capture.name}"))


def export(capture: Path) -> bytes:
    """The drawing that `tcpladder export` makes of the capture's first flow."""
    session = FileSession([capture.name])
    for _ in session.read():
        pass
    return b"".join(content(session, Wish(form=Format.SVG, flows=[1]), UTC))


def still(picture: str) -> str:
    """Textual names its styles after a random number; one picture of one screen should be one file."""
    return re.sub(r"terminal-\d+", "terminal", picture)


def demos() -> Iterator[tuple[str, bytes]]:
    """Each demo, as asciicast and as film."""
    for name in FILMS:
        cast = recorded(demo_script.load(name))
        lines = [cast.header.line(), *(event.line(0) for event in cast.events)]
        yield f"{name}.cast", "".join(f"{line}\n" for line in lines).encode()
        yield f"{name}.svg", animated(list(film(cast)), cast.header.title).encode()


def drawn() -> Iterator[tuple[str, bytes]]:
    """Every file of this folder that is drawn: its name and what is in it."""
    (capture,) = CAPTURES.glob("*.pcap*")
    os.chdir(capture.parent)
    for picture in PICTURES:
        yield f"{picture.name}.svg", asyncio.run(draw(picture, capture)).encode()
    yield "export.svg", export(capture)
    yield from demos()


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
