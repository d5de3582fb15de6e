"""Draw the pictures of this folder from a capture: the real app, the real file, keys pressed as a person would.

    python screenshots/draw.py [CAPTURE]

Without an argument it is the sample capture of the keepalive experiment. Nothing here is drawn by hand.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL_")]:
    del os.environ[name]
os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"

from tcpladder.app.app import Taste, TcpladderApp  # noqa: E402 - Textual reads the environment when it is imported
from tcpladder.render.formats import Format  # noqa: E402
from tcpladder.session.export import Wish, content  # noqa: E402
from tcpladder.session.files import FileSession  # noqa: E402

HERE = Path(__file__).resolve().parent
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


def main() -> None:
    """Draw every picture."""
    found = [Path(word).resolve() for word in sys.argv[1:]] or sorted(CAPTURES.glob("*.pcap*"))
    if not found:
        sys.exit(f"there is no capture in {CAPTURES}: name one")
    os.chdir(found[0].parent)
    for picture in PICTURES:
        path = HERE / f"{picture.name}.svg"
        path.write_text(asyncio.run(draw(picture, found[0])), encoding="utf-8")
        print(path.name)
    drawing = HERE / "export.svg"
    drawing.write_bytes(export(found[0]))
    print(drawing.name)


if __name__ == "__main__":
    main()
