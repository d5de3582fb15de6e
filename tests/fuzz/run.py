"""Fuzz one harness of reading.py with atheris: `run.py capture [libFuzzer options] [corpus folders]`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["tcpladder"]):
    from fuzz.reading import HARNESSES


def main() -> None:
    """Run until libFuzzer's -max_total_time is over or something is found."""
    if len(sys.argv) < 2 or sys.argv[1] not in HARNESSES:
        sys.exit(f"name a harness: {', '.join(HARNESSES)}")
    harness = HARNESSES[sys.argv.pop(1)]
    atheris.Setup(sys.argv, harness)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
