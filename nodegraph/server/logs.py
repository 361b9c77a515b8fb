"""The server's log: lines for people, or one JSON object a line for programs. Neither holds a token."""

from __future__ import annotations

import json
import logging
import time
from typing import Literal

Format = Literal["text", "json"]
FIELDS = ("job", "user", "worker")
"""What a record says besides its message, where it knows."""


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, and the job, user and worker that it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told: dict[str, object] = {
            "time": f"{second}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        told.update({name: value for name in FIELDS if (value := getattr(record, name, None)) is not None})
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        about = [f"{name} {value}" for name in FIELDS if (value := getattr(record, name, None)) is not None]
        return super().format(record) + (f" ({', '.join(about)})" if about else "")


def set_up(format_: Format, level: str) -> None:
    """Send the log of this process to standard error."""
    handler = logging.StreamHandler()
    text = TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if format_ == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
