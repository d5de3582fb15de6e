"""Add to the corpus what reaches something new: `keep.py HARNESS FOLDER`, a folder that atheris has filled."""

from __future__ import annotations

import sys
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

from fuzz.reading import HARNESSES  # noqa: E402

Step = tuple[str, int, int]


def reached(harness: Callable[[bytes], None], data: bytes) -> set[Step]:
    """The steps from line to line of the package that one input takes."""
    steps: set[Step] = set()

    def call(frame: FrameType, _event: str, _value: Any) -> Any:
        if "tcpladder" not in frame.f_code.co_filename:
            return None
        before = 0

        def line(frame: FrameType, _event: str, _value: Any) -> Any:
            nonlocal before
            steps.add((frame.f_code.co_filename, before, frame.f_lineno))
            before = frame.f_lineno
            return line

        return line

    sys.settrace(call)
    try:
        harness(data)
    finally:
        sys.settrace(None)
    return steps


def main() -> None:
    """Look at what the corpus has first, then at the others, long ones first: fewer are needed then."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    corpus = HERE / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    known: set[Step] = set()
    for path in sorted(corpus.iterdir()):
        known |= reached(HARNESSES[name], path.read_bytes())
    for path in sorted(folder.iterdir(), key=lambda path: (-path.stat().st_size, path.name)):
        data = path.read_bytes()
        steps = reached(HARNESSES[name], data)
        if not steps <= known:
            known |= steps
            (corpus / sha1(data, usedforsecurity=False).hexdigest()[:12]).write_bytes(data)


if __name__ == "__main__":
    main()
