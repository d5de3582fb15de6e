"""The pictures in screenshots/ are what the app draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DRAW = Path(__file__).resolve().parent.parent.parent / "screenshots" / "draw.py"


@pytest.mark.slow
def test_the_pictures_are_what_the_app_draws() -> None:
    done = subprocess.run(
        [sys.executable, DRAW, "--check"], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
