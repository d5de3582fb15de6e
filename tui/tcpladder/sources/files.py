"""Captures in files, pipes and stdin: which format it is, how far it has been read, and a frame read again.

The format is known by the first bytes, never by the name. A broken capture yields what was
good and one warning.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator, Iterator

from tcpladder.errors import CaptureError, PermissionRefused
from tcpladder.sources.base import Progress
from tcpladder.sources.likeness import HEAD_BYTES, READABLE, likeness
from tcpladder.sources.pcap import HEADER_BYTES, VARIANTS, read_pcap
from tcpladder.sources.pcapng import SECTION_HEADER, byte_order_of, read_pcapng
from tcpladder.sources.stops import Stop, describe_stop
from tcpladder.sources.streams import MAGICS, ByteStream, DecompressedStream, DescriptorStream
from tcpladder.sources.window import CHUNK_BYTES, ReadWindow
from tcpladder.store.anonymous import anonymous_file, write_all
from tcpladder.wire.frames import FrameBatch

STDIN = "-"
_PCAPNG_HEAD_BYTES = 12


class CaptureFile:
    """A capture opened for reading; see sources.base.FrameFile. `batches` can be read once."""

    def __init__(self, name: str, descriptor: int, *, file: int, keep: bool, chunk_bytes: int) -> None:
        self.name = name
        self.warnings: list[str] = []
        self._file = file
        self._descriptor = descriptor
        self._again = descriptor
        """The descriptor that frames are read from again; -1 where the bytes were not kept."""
        self._source = DescriptorStream(descriptor)
        self._stream, start = self._unwrap()
        self._window = ReadWindow(self._stream, start, chunk_bytes)
        if self._stream is not self._source or not self._source.seekable:
            self._again = -1
            if keep:
                self._keep_bytes()
        self._frames = self._recognise()

    def batches(self) -> Iterator[FrameBatch]:
        """Yield the frames in order; each batch is valid until the next is asked for."""
        stop = yield from self._frames
        warning = describe_stop(self.name, stop, self._stream.fault)
        if warning is not None:
            self.warnings.append(warning)

    def progress(self) -> Progress:
        """Bytes read of the file itself, compressed if it is."""
        return Progress(self._source.read_bytes, self._source.total_bytes)

    def frame_bytes(self, position: int, captured: int) -> bytes:
        """Read one frame again. Raises CaptureError where the bytes were not kept or are gone."""
        if self._again < 0:
            raise CaptureError(f"cannot read a frame of {self.name} again: its bytes were not kept")
        try:
            frame = os.pread(self._again, captured, position)
        except OSError as error:
            raise CaptureError(f"cannot read a frame of {self.name} again: {_reason(error)}") from error
        if len(frame) < captured:
            raise CaptureError(f"cannot read a frame of {self.name} again: the file has become shorter")
        return frame

    def close(self) -> None:
        """Release the descriptors. Whoever reads `batches` has stopped before."""
        for descriptor in {self._descriptor, self._again} - {-1}:
            os.close(descriptor)
        self._descriptor = self._again = -1

    def _unwrap(self) -> tuple[ByteStream, int]:
        """The stream of the capture itself, and the offset of its first byte."""
        head = self._source.peek(max(map(len, MAGICS)))
        for magic in MAGICS:
            if head.startswith(magic):
                return DecompressedStream(self._source, magic), 0
        return self._source, self._source.start

    def _recognise(self) -> Generator[FrameBatch, None, Stop]:
        window = self._window
        window.fill_to(_PCAPNG_HEAD_BYTES)
        magic = bytes(window.buffer[:4])
        if magic in VARIANTS:
            if not window.fill_to(HEADER_BYTES):
                raise CaptureError(
                    f"cannot read {self.name}: it is cut off inside its header, "
                    f"{window.have} of {HEADER_BYTES} bytes are there"
                )
            return read_pcap(window, self._file)
        if magic == SECTION_HEADER and byte_order_of(window.buffer) is not None:
            return read_pcapng(window, self._file)
        raise CaptureError(f"cannot read {self.name}: {self._likeness()}")

    def _likeness(self) -> str:
        self._window.fill_to(HEAD_BYTES)
        head = bytes(self._window.buffer[: min(HEAD_BYTES, self._window.have)])
        if self._stream.fault is not None:
            return f"it {self._stream.fault}"
        compressed = self._stream is not self._source
        if not head:
            return "it is compressed, and there is nothing in it" if compressed else "it is empty"
        return (
            f"it is compressed, and what is in it is no capture: {likeness(head)}"
            if compressed
            else likeness(head)
        )

    def _keep_bytes(self) -> None:
        """Copy what is read into a file without a name, so that frames of a pipe can be read again."""
        kept = self._again = anonymous_file()
        failed = False

        def keep(view: memoryview) -> None:
            nonlocal failed
            if failed:
                return
            try:
                write_all(kept, view)
            except OSError as error:
                failed = True
                self.warnings.append(
                    f"cannot keep the bytes of {self.name} ({_reason(error)}): "
                    "later frames cannot be looked into"
                )

        self._window.tee_to(keep)


def open_capture(
    path: str, file: int = 0, *, keep: bool = False, chunk_bytes: int = CHUNK_BYTES
) -> CaptureFile:
    """Open a capture: pcap or pcapng, plain or compressed with gzip, xz or bzip2; `-` is stdin.

    `file` is its index on the command line. `keep` stores the bytes of what cannot be read twice, so that
    `frame_bytes` works there too. Raises CaptureError and PermissionRefused, with a sentence for the user.
    """
    if path == STDIN:
        return _open_stdin(file, keep=keep, chunk_bytes=chunk_bytes)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CaptureError(f"cannot read {path}: no such file") from error
    except PermissionError as error:
        raise PermissionRefused(f"cannot read {path}: permission denied, make it readable first") from error
    except (OSError, ValueError) as error:
        raise CaptureError(f"cannot read {path}: {_reason(error)}") from error
    return _build(path, descriptor, file=file, keep=keep, chunk_bytes=chunk_bytes)


def _open_stdin(file: int, *, keep: bool, chunk_bytes: int) -> CaptureFile:
    try:
        descriptor = os.dup(sys.__stdin__.fileno() if sys.__stdin__ is not None else 0)
    except (OSError, ValueError) as error:
        raise CaptureError("cannot read stdin: it is closed") from error
    return _build(STDIN, descriptor, file=file, keep=keep, chunk_bytes=chunk_bytes)


def _build(name: str, descriptor: int, *, file: int, keep: bool, chunk_bytes: int) -> CaptureFile:
    try:
        _refuse_what_cannot_be_read(name, descriptor)
        return CaptureFile(name, descriptor, file=file, keep=keep, chunk_bytes=chunk_bytes)
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_what_cannot_be_read(name: str, descriptor: int) -> None:
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise CaptureError(f"cannot read {name}: it is a directory, name a capture in it")
    if os.isatty(descriptor):
        raise CaptureError(f"cannot read {name}: it is a terminal, pipe a capture into it ({READABLE})")


def _reason(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
