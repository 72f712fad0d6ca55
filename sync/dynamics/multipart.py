"""`$batch` on the wire: multipart/mixed out and in (dataverse.md 2.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.http import Answer

_BOUNDARY = re.compile(r'boundary="?([^";\s]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


@dataclass(frozen=True, slots=True)
class Part:
    """One request; `path` is rooted (`/api/data/…`)."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def written(parts: Sequence[Part]) -> tuple[dict[str, str], bytes]:
    """Headers and body of a batch that goes on after errors; CRLF everywhere, the service refuses less."""
    boundary = "batch_events"
    pieces: list[bytes] = []
    for part in parts:
        head = [
            f"--{boundary}",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "",
            f"{part.method} {part.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in part.headers.items()),
            "",
            "",
        ]
        pieces += ["\r\n".join(head).encode(), part.body, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    headers = {
        "Content-Type": f'multipart/mixed; boundary="{boundary}"',
        "OData-Version": "4.0",
        "OData-MaxVersion": "4.0",
        "Accept": "application/json",
        "Prefer": "odata.continue-on-error",
    }
    return headers, b"".join(pieces)


def parts_of(content_type: str, body: bytes) -> list[Answer] | None:
    """The answers of a batch in order; None if it is not one."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None or not content_type.lower().startswith("multipart/mixed"):
        return None
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        return None
    answers: list[Answer] = []
    for piece in pieces[1:-1]:
        _, _, inner = piece.partition(b"\r\n\r\n")
        status = _STATUS.match(inner)
        if status is None:
            return None
        head, _, content = inner.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        answers.append(Answer("dynamics", int(status[1]), headers, content, True))
    return answers
