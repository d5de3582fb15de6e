"""A real browser without a window: what is on a page after its scripts, and ours, have run."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

_RESULT = "what-the-test-found"


def asked(page: str, script: str, folder: Path, *, budget_ms: int = 4000) -> Any:
    """Run `script`, a body of an async function over the page that returns what JSON can hold, and return that."""
    runs = f"""<script>
    (async () => {{ {script} }})().catch((wrong) => "failed: " + wrong).then((found) => {{
      const said = document.createElement("pre");
      said.id = "{_RESULT}";
      said.textContent = JSON.stringify(found === undefined ? null : found);
      document.body.append(said);
    }});
    </script></body>"""
    path = folder / "page.html"
    path.write_text(page.replace("</body>", runs), encoding="utf-8")
    dom = chromium(path, folder, "--dump-dom", f"--virtual-time-budget={budget_ms}")
    (found,) = re.findall(rf'<pre id="{_RESULT}">(.*?)</pre>', dom, re.DOTALL)
    return json.loads(unescape(found))


def chromium(path: Path, folder: Path, *options: str) -> str:
    """What chromium prints for a file."""
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--window-size=1400,900", f"--user-data-dir={folder / 'profile'}", *options, path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout
