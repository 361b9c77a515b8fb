"""Pulling a model file: resumable, verified, and in place all at once or not at all.

What has come lies in `NAME.part` beside the place of the file, with the server's validator in
`NAME.part.etag`. The next attempt asks for the rest (RFC 9110, Range with If-Range); a server that sends
everything again, or another version of the file, makes it begin anew. The file gets its name by a rename
when it is whole, has the expected sha256 and is what its name says.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nodegraph.errors import InputError, NodegraphError
from nodegraph.modelfiles.references import Reference, offline
from nodegraph.modelfiles.safetensors_header import read_header

if TYPE_CHECKING:
    import httpx2

Progress = Callable[[int, int | None], None]
"""Gets (bytes here, bytes in all if that is known)."""

_ATTEMPTS = 5
_TIMEOUT = 30.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PullError(NodegraphError):
    """A file could not be pulled."""

    code = "pull_failed"


class Pulled(NamedTuple):
    """A file that was pulled: where it lies, its content, and the bytes that were not there before."""

    path: Path
    sha256: str
    received: int


def pull(
    reference: Reference, target: Path, sha256: str | None = None, progress: Progress | None = None
) -> Pulled:
    """Pull a file to `target`, which must not be there yet.

    Raises InputError (offline, or the target is there) or PullError (`pull_not_found`, `pull_refused`,
    `pull_wrong_hash`, `pull_failed`); what has come is kept for the next attempt, unless it is wrong.
    """
    switch = offline()
    if switch is not None:
        raise InputError(
            f"{reference.url} is not asked for: {switch} is set", code="offline",
            remedy="Unset it, or copy the file into the folder by hand.",
        )  # fmt: skip
    if target.exists():
        raise InputError(f"'{target}' is there already", code="file_exists", remedy="Choose another --name.")
    target.parent.mkdir(parents=True, exist_ok=True)
    return _Pull(reference, target, sha256, progress or (lambda _done, _all: None)).run()


@dataclass
class _Pull:
    reference: Reference
    target: Path
    expected: str | None
    progress: Progress
    received: int = 0

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def tag(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part.etag")

    def run(self) -> Pulled:
        import httpx2

        with httpx2.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
            for attempt in range(1, _ATTEMPTS + 1):
                before = self.received
                try:
                    self._receive(client)
                    break
                except httpx2.HTTPError as error:
                    if attempt == _ATTEMPTS or self.received == before:
                        raise self._broken(error) from error
                except httpx2.InvalidURL as error:
                    raise self._broken(error) from error
        return self._finish()

    def _receive(self, client: httpx2.Client) -> None:
        """Ask for what is missing and append it. An httpx2 error if the connection breaks."""
        have = self._size()
        headers = {**self.reference.headers, "Accept-Encoding": "identity"}
        if have:
            headers.update({"Range": f"bytes={have}-", "If-Range": self.tag.read_text()})
        with client.stream("GET", self.reference.url, headers=headers) as response:
            if response.status_code == 416:
                if _range_total(response) != have:
                    self._drop()
                    raise PullError("the server has less of the file than is here: begin again")
                return
            self._check(response)
            self._expect(response)
            resumed = response.status_code == 206 and _range_start(response) == have
            if not resumed:
                self._drop()
                have = 0
            self._keep_tag(response)
            length = response.headers.get("content-length")
            total = have + int(length) if length is not None and length.isdecimal() else None
            with self.part.open("ab") as file:
                self.progress(have, total)
                for chunk in response.iter_raw():  # as it comes: what is buffered is lost with the connection
                    file.write(chunk)
                    have += len(chunk)
                    self.received += len(chunk)
                    self.progress(have, total)
                file.flush()
                os.fsync(file.fileno())

    def _size(self) -> int:
        """How much is here that can be gone on with: nothing without the server's validator."""
        if not self.tag.is_file() or not self.part.is_file():
            self._drop()
            return 0
        return self.part.stat().st_size

    def _keep_tag(self, response: httpx2.Response) -> None:
        """Remember a strong validator; a weak one does not say that bytes are the same."""
        etag = response.headers.get("etag", "")
        if etag and not etag.startswith("W/"):
            self.tag.write_text(etag)

    def _expect(self, response: httpx2.Response) -> None:
        """The hub says the sha256 of large files in the answer that leads to them."""
        for answer in [*response.history, response]:
            digest = answer.headers.get("x-linked-etag", "").strip('"').lower()
            if self.expected is None and _SHA256.fullmatch(digest):
                self.expected = digest

    def _check(self, response: httpx2.Response) -> None:
        status, url = response.status_code, self.reference.url
        if status in (200, 206):
            encoding = response.headers.get("content-encoding", "identity")
            if encoding != "identity":
                raise PullError(f"{url} comes packed as {encoding}, although plain bytes were asked for")
            return
        if status in (404, 410):
            raise PullError(
                f"there is no {url}", code="pull_not_found", remedy="Check repository and file name."
            )
        if status in (401, 403):
            raise PullError(
                f"{url} may not be had (HTTP {status})", code="pull_refused",
                remedy="Accept the model's licence on its page, and log in: hf auth login, or set HF_TOKEN.",
            )  # fmt: skip
        raise PullError(f"{url} answered with HTTP {status}", code="pull_failed", remedy="Try again later.")

    def _finish(self) -> Pulled:
        """Give the file its name if it is what was asked for."""
        digest = _sha256(self.part)
        if self.expected is not None and digest != self.expected.lower():
            self._drop()
            raise PullError(
                f"{self.reference.url} is not the file that was asked for: it was deleted",
                code="pull_wrong_hash", expected=f"sha256 {self.expected}", found=digest,
            )  # fmt: skip
        if self.target.suffix.lower() in (".safetensors", ".sft"):
            try:
                read_header(self.part)
            except InputError:
                self._drop()
                raise
        try:
            os.link(self.part, self.target)  # unlike a rename, it never replaces a file
            self.part.unlink()
        except FileExistsError:
            raise InputError(f"'{self.target}' is there already", code="file_exists") from None
        except OSError:
            self.part.replace(self.target)  # a file system without hard links
        self.tag.unlink(missing_ok=True)
        return Pulled(self.target, digest, self.received)

    def _broken(self, error: Exception) -> PullError:
        kept = self.part.stat().st_size if self.tag.is_file() and self.part.is_file() else 0
        remedy = f"{kept} bytes are here: the same command goes on from there." if kept else "Try again."
        return PullError(
            f"{self.reference.url} could not be read to its end: {type(error).__name__}: {error}",
            remedy=remedy,
        )

    def _drop(self) -> None:
        for path in (self.part, self.tag):
            with suppress(FileNotFoundError):
                path.unlink()


def _range_start(response: httpx2.Response) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    return int(match[1]) if match else None


def _range_total(response: httpx2.Response) -> int | None:
    match = re.match(r"bytes \*/(\d+)", response.headers.get("content-range", ""))
    return int(match[1]) if match else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
