"""Exports opened by the programs they are for: a browser, mermaid, PlantUML, rsvg-convert."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from browser import asked
from rooms.ladder.diagrams import CAPTURES, drawn, exported, told
from rooms.ladder.talk import Talk
from tcpladder.analysis.kinds import Kind
from tcpladder.analysis.view import Side
from tcpladder.ladder.model import Note
from tcpladder.render.formats import Format, Taste
from tcpladder.render.html_page import html_page
from tcpladder.render.mermaid import mermaid
from tcpladder.render.palette import Theme
from tcpladder.render.plantuml import plantuml
from tcpladder.render.png import png
from tcpladder.render.svg import svg

MERMAID = Path(sys.prefix) / "mermaid.min.js"
NASTY = (
    "a;b #c \"d\" 'e' <f> %%{g}%% {{h}} `i` \\n --j-- **k** //l// [[m]] |n| end ~o~ &amp; !p __q__ wrap: r"
)
"""What some language or other would take for its own."""
browser = pytest.mark.real("chromium", root=False)


def nasty() -> list[str]:
    """Sources with names, labels and notes that must come out as they are."""
    talk = Talk().say(Side.CLIENT, Kind.SYN, label=NASTY)
    talk.why = NASTY
    note = Note(int(talk.time_ns[0]) - 1, NASTY)
    diagram = drawn(talk, (note,), lane_names=(NASTY, "end"))
    return ["\n".join(mermaid(diagram)), "\n".join(plantuml(diagram))]


# ---- the page, in a browser ---------------------------------------------------------------------------------------

PRESS = """
const press = (key) => (document.activeElement || document.body).dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true }));
const title = () => document.querySelector("#panel h2").textContent;
const fields = () => Object.fromEntries([...document.querySelectorAll("#panel dt")].map(
  (name) => [name.textContent, name.nextElementSibling.textContent]));
"""


@browser
def test_the_page_is_read_with_the_keyboard(tmp_path: Path) -> None:
    script = (
        PRESS
        + """
    const seen = [title()];
    for (const key of ["j", "ArrowDown", "G", "k", "Enter", "[", "g", "]", "Escape"]) {
      press(key);
      seen.push(title());
    }
    return seen;
    """
    )
    assert asked(exported(CAPTURES["keepalive"], Format.HTML), script, tmp_path) == [
        "Click a row, or hover",
        "SYN",
        "SYN-ACK",
        "RST, gives up",
        "keepalive_intvl 1 s ✓ +23 ms",
        "keepalive probe 3/3",  # Enter on a silence goes to what armed its timer
        "keepalive probe 2/3",  # an event, past the silence
        "SYN",
        "SYN-ACK",
        "Click a row, or hover",
    ]


@browser
def test_the_page_tells_each_row_on_hover_and_on_click(tmp_path: Path) -> None:
    script = (
        PRESS
        + """
    const rows = [...document.querySelectorAll(".row")];
    const probe = rows.find((row) => row.querySelector(".label")?.textContent === "keepalive probe");
    probe.dispatchEvent(new MouseEvent("mouseenter"));
    const hovered = [title(), fields(), document.querySelector("#panel p").textContent];
    probe.dispatchEvent(new MouseEvent("mouseleave"));
    const left = title();
    rows.find((row) => row.classList.contains("gap")).dispatchEvent(new MouseEvent("click", { bubbles: true }));
    return [hovered, left, fields()];
    """
    )
    (name, probe, because), left, gap = asked(exported(CAPTURES["keepalive"], Format.HTML), script, tmp_path)
    assert name == "keepalive probe"
    assert because == "seq 77 = next 78 − 1, no data, already acknowledged"
    assert probe["seq"].startswith("77 (raw ")
    assert (probe["ack"].split()[0], probe["length"], probe["window"]) == ("1", "0", "65536")
    assert probe["time"] == "2026-11-22 05:55:06.957110272 UTC"
    assert left == "Click a row, or hover"
    assert (gap["observed"], gap["expected"], gap["deviation"]) == ("3.216 s", "3.000 s", "+216 ms")
    assert (gap["origin"], gap["armed by"], gap["verdict"]) == ("inferred", "frame 5", "on time")


@browser
def test_the_page_fetches_nothing_and_its_words_do_not_touch(tmp_path: Path) -> None:
    """With the fonts that are here, and the longest addresses; in both themes."""
    talk = told().ladder.view
    assert isinstance(talk, Talk)
    page = exported(CAPTURES["ipv6"], Format.HTML, taste=Taste(theme=Theme.DARK))
    script = """
    const boxes = (row) => [...row.querySelectorAll("text")].map((one) => one.getBoundingClientRect());
    const touching = [...document.querySelectorAll(".row")].filter((row) => {
      const all = boxes(row).sort((a, b) => a.left - b.left);
      return all.some((box, at) => at && box.top < all[at - 1].bottom - 4 && box.bottom > all[at - 1].top + 4
        && box.left < all[at - 1].right + 2);
    });
    const ground = document.querySelector(".ground");
    const dark = getComputedStyle(ground).fill;
    document.getElementById("theme").click();
    return {
      fetched: performance.getEntriesByType("resource").length, touching: touching.length,
      rows: document.querySelectorAll(".row").length, dark, light: getComputedStyle(ground).fill,
    };
    """
    found = asked(page, script, tmp_path)
    assert found["rows"] > 19
    assert (found["fetched"], found["touching"]) == (0, 0)
    assert (found["dark"], found["light"]) == ("rgb(15, 20, 26)", "rgb(255, 255, 255)")


@browser
def test_a_name_cannot_put_anything_into_the_page(tmp_path: Path) -> None:
    evil = "</script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>"
    talk = Talk().say(Side.CLIENT, Kind.SYN, label=evil)
    talk.why = evil
    page = "\n".join(html_page([drawn(talk, lane_names=(evil, "server"))], Theme.LIGHT))
    found = asked(page, "return [document.title, document.querySelectorAll('img').length];", tmp_path)
    assert found == ["trace.pcap: TCP ladder", 0]


# ---- mermaid ------------------------------------------------------------------------------------------------------


@browser
def test_mermaid_draws_ours(tmp_path: Path) -> None:
    if not MERMAID.exists():
        pytest.skip(f"needs mermaid's own file: make {Path(sys.prefix).name}/{MERMAID.name} (with npm)")
    sources = [exported(path, Format.MERMAID) for path in CAPTURES.values()]
    sources += ["\n".join(mermaid(told())), nasty()[0]]
    told_to_draw = json.dumps(sources).replace("<", "\\u003c")
    page = f"<html><meta charset='utf-8'><body><script src='{MERMAID.as_uri()}'></script></body></html>"
    script = f"""
    mermaid.initialize({{ startOnLoad: false }});
    const drawn = [];
    for (const source of {told_to_draw}) {{
      const {{ svg }} = await mermaid.render("d" + drawn.length, source);
      const box = document.createElement("div");
      box.innerHTML = svg;
      drawn.push({{
        messages: [...box.querySelectorAll(".messageText")].map((one) => one.textContent),
        notes: [...box.querySelectorAll(".noteText")].map((one) => one.textContent),
        active: box.querySelectorAll("[class^=activation]").length,
        actors: [...box.querySelectorAll("text.actor")].map((one) => one.textContent),
      }});
    }}
    return drawn;
    """
    keepalive, connect, ipv6, _, told_, evil = asked(page, script, tmp_path, budget_ms=20_000)
    assert keepalive["messages"][:4] == ["SYN", "SYN-ACK", "ACK", "data 77"]
    assert (len(keepalive["messages"]), keepalive["active"]) == (15, 2)
    assert len([note for note in keepalive["notes"] if "keepalive_" in note]) == 7
    assert connect["messages"][-1] == "in 8.0 s: SYN retry 8/10"
    assert connect["active"] == 0
    assert any("[fd00::1]:41200" in actor for actor in ipv6["actors"])
    assert "keepalive probe 3/3 (lost: rule 1)" in told_["messages"]
    assert evil["messages"] == [NASTY]
    assert evil["notes"] == [NASTY, NASTY]


# ---- PlantUML -----------------------------------------------------------------------------------------------------


@pytest.mark.real("plantuml", root=False)
def test_plantuml_draws_ours(tmp_path: Path) -> None:
    sources = {name: exported(path, Format.PLANTUML) for name, path in CAPTURES.items()}
    sources |= {"told": "\n".join(plantuml(told())), "nasty": nasty()[1]}
    for name, source in sources.items():
        (tmp_path / f"{name}.puml").write_text(source, encoding="utf-8")
    command = ["plantuml", "-tsvg", "-failfast2", "-charset", "UTF-8", "*.puml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    words = {name: said_by(tmp_path / f"{name}.svg") for name in sources}
    assert "keepalive probe 1/3" in words["keepalive"]
    assert words["keepalive"].count("keepalive_intvl 1 s") == 3
    assert "lost: rule 1" in words["told"]
    assert NASTY in words["nasty"]


def said_by(drawing: Path) -> str:
    """All words of an SVG, in order, blanks as blanks."""
    from xml.etree import ElementTree as ET

    texts = ET.parse(drawing).iter("{http://www.w3.org/2000/svg}text")
    return " ".join("".join(one.itertext()).replace("\xa0", " ") for one in texts)


# ---- rsvg-convert -------------------------------------------------------------------------------------------------


@pytest.mark.real("rsvg-convert", root=False)
@pytest.mark.parametrize("theme", list(Theme))
def test_rsvg_draws_the_picture_in_its_colours(theme: Theme) -> None:
    drawing = "\n".join(svg(told(), theme))
    picture = png(drawing)
    size = re.search(r'width="(\d+)" height="(\d+)"', drawing)
    assert size is not None
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (2 * int(size[1]), 2 * int(size[2]))
    assert len(picture) > 50_000  # an empty sheet compresses to a few thousand bytes


@pytest.mark.real("rsvg-convert", root=False)
@pytest.mark.parametrize(("height", "zoom"), [(16_000, 2), (17_000, 1)])
def test_a_long_drawing_gets_fewer_pixels_and_not_an_error(height: int, zoom: int) -> None:
    """cairo draws no side longer than 32,767 pixels."""
    picture = png(f'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="{height}"/>')
    assert struct.unpack(">II", picture[16:24]) == (10 * zoom, height * zoom)
