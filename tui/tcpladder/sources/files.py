"""Captures in files, pipes and stdin: opened, read to their end or followed, and a frame read again.

A broken capture yields what was good and one warning.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence

from tcpladder.errors import CaptureError, PermissionRefused
from tcpladder.sources.base import Progress
from tcpladder.sources.compressed import MAGICS, DecompressedStream
from tcpladder.sources.formats import follow, reader_of
from tcpladder.sources.likeness import READABLE
from tcpladder.sources.remarks import Remarks
from tcpladder.sources.stops import describe_stop
from tcpladder.sources.streams import ByteStream, DescriptorStream, Following
from tcpladder.sources.window import CHUNK_BYTES, ReadWindow
from tcpladder.store.anonymous import anonymous_file, write_all
from tcpladder.wire.frames import FrameBatch

STDIN = "-"


class CaptureFile:
    """A capture opened for reading; see sources.base.FrameFile. `batches` can be read once."""

    def __init__(
        self,
        name: str,
        descriptor: int,
        *,
        file: int,
        keep: bool,
        chunk_bytes: int,
        following: Following | None = None,
    ) -> None:
        self.name = name
        self.warnings: list[str] = []
        self._descriptor = descriptor
        self._again = descriptor
        """The descriptor that frames are read from again; -1 where the bytes were not kept."""
        self._source = DescriptorStream(descriptor, following)
        self._stream, start = self._unwrap()
        self._window = ReadWindow(self._stream, start, chunk_bytes)
        if self._stream is not self._source or not self._source.seekable:
            self._again = -1
            if keep:
                self._keep_bytes()
        self._remarks = Remarks()
        read = reader_of if following is None else follow
        compressed = self._stream is not self._source
        self._frames = read(self._window, name, file, self._remarks, compressed=compressed)

    def batches(self) -> Iterator[FrameBatch]:
        """Yield the frames in order; each batch is valid until the next is asked for.

        A file that is followed yields an empty batch whenever nothing came while it waited. Raises CaptureError
        where it turns out only then that it is no capture.
        """
        stop = yield from self._frames
        self.warnings += self._remarks.warnings(self.name)
        warning = describe_stop(self.name, stop, self._stream.fault)
        if warning is not None:
            self.warnings.append(warning)

    @property
    def comments(self) -> Mapping[int, str]:
        """Number of a frame -> what somebody wrote about it into the capture."""
        return self._remarks.comments

    @property
    def closing_comments(self) -> Sequence[str]:
        """What somebody wrote about frames that came before, mostly at the end."""
        return self._remarks.closing

    @property
    def names(self) -> Mapping[str, str]:
        """Address made up for a host that a text listing only names -> its name. Grows while it is read."""
        return self._remarks.names

    @property
    def caught_up(self) -> bool:
        """Whether a file that is followed has been read to where its writer is."""
        return self._source.caught_up

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
    path: str,
    file: int = 0,
    *,
    keep: bool = False,
    chunk_bytes: int = CHUNK_BYTES,
    following: Following | None = None,
) -> CaptureFile:
    """Open a capture: pcap, pcapng or snoop, plain or compressed with gzip, xz, bzip2 or zstd; `-` is stdin.

    `file` is its index on the command line. `keep` stores the bytes of what cannot be read twice, so that
    `frame_bytes` works there too. `following` goes on at the end of a file that is still being written.
    Raises CaptureError and PermissionRefused, with a sentence for the user.
    """
    if path == STDIN:
        return _open_stdin(file, keep=keep, chunk_bytes=chunk_bytes, following=following)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CaptureError(f"cannot read {path}: no such file") from error
    except PermissionError as error:
        raise PermissionRefused(f"cannot read {path}: permission denied, make it readable first") from error
    except (OSError, ValueError) as error:
        raise CaptureError(f"cannot read {path}: {_reason(error)}") from error
    return _build(path, descriptor, file=file, keep=keep, chunk_bytes=chunk_bytes, following=following)


def _open_stdin(file: int, *, keep: bool, chunk_bytes: int, following: Following | None) -> CaptureFile:
    try:
        descriptor = os.dup(sys.__stdin__.fileno() if sys.__stdin__ is not None else 0)
    except (OSError, ValueError) as error:
        raise CaptureError("cannot read stdin: it is closed") from error
    return _build(STDIN, descriptor, file=file, keep=keep, chunk_bytes=chunk_bytes, following=following)


def _build(
    name: str, descriptor: int, *, file: int, keep: bool, chunk_bytes: int, following: Following | None
) -> CaptureFile:
    try:
        _refuse_what_cannot_be_read(name, descriptor)
        return CaptureFile(
            name, descriptor, file=file, keep=keep, chunk_bytes=chunk_bytes, following=following
        )
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
