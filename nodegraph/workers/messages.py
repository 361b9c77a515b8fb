"""What the server and its workers tell each other: small records, packed by msgspec."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, msgpack

Question = Literal["plan", "check", "catalogue", "vocabulary", "explain", "clear"]


class Run(Struct, tag=True, frozen=True):
    """Run a job. document and inputs are JSON; targets: outputs or nodes to run for (None: all); folder: the
    one of the user whose pictures are read and saved, in the data directory ("": the owner's).
    """

    job: str
    document: bytes
    inputs: bytes = b"{}"
    targets: list[str] | None = None
    previews: bool = False
    folder: str = ""


class Cancel(Struct, tag=True, frozen=True):
    """Stop this job."""

    job: str


class Ask(Struct, tag=True, frozen=True):
    """Answer a question, also while a job runs. data: JSON; folder: as of `Run`."""

    id: int
    what: Question
    data: bytes = b"{}"
    folder: str = ""


class Stop(Struct, tag=True, frozen=True):
    """Finish nothing more and leave."""


class Ready(Struct, tag=True, frozen=True):
    """The worker has its engine and takes jobs."""

    pid: int
    device: str
    packs: dict[str, str]


class Happened(Struct, tag=True, frozen=True):
    """An event of a job: its kind and fields (JSON) as they travel, with the picture of a preview."""

    job: str
    kind: str
    fields: bytes
    image: bytes | None = None


class Done(Struct, tag=True, frozen=True):
    """The job is done. result: JSON."""

    job: str
    result: bytes


class Failed(Struct, tag=True, frozen=True):
    """The job cannot be done. problems: a JSON list."""

    job: str
    problems: bytes


class Cancelled(Struct, tag=True, frozen=True):
    """The job stopped because somebody asked."""

    job: str


class Answer(Struct, tag=True, frozen=True):
    """The answer to a question, or the problems with it; both are JSON."""

    id: int
    data: bytes = b"null"
    problems: bytes | None = None


class Alive(Struct, tag=True, frozen=True):
    """The worker's loop turns. Sent every second."""


class Holds(Struct, tag=True, frozen=True):
    """What the worker has at hand after a job: content hashes of the model files whose weights it holds."""

    models: list[str]


ToWorker = Run | Cancel | Ask | Stop
FromWorker = Ready | Happened | Done | Failed | Cancelled | Answer | Alive | Holds

encode = msgpack.Encoder().encode
decode_to_worker = msgpack.Decoder(ToWorker).decode
decode_from_worker = msgpack.Decoder(FromWorker).decode
