"""`$batch`: multipart/mixed in and out, change sets, continue-on-error (dataverse.md 2.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from sandbox.dynamics.errors import Refused, bad
from sandbox.dynamics.query import Call, parse_query
from sandbox.wire import Response

MOST = 1000
_LONGEST = 65536
_BOUNDARY = re.compile(r'multipart/mixed\s*;\s*boundary="?([^";\s]{1,70})"?\s*', re.I)
_REQUEST_LINE = re.compile(r"(GET|POST|PATCH|PUT|DELETE) (\S+) HTTP/1\.1")
_REFERENCE = re.compile(r"/?\$(\w+)(.*)", re.S)
_ROOT = re.compile(r"/api/data/v9\.[012]/")
_SPELLED = {
    "odata-version": "OData-Version",
    "odata-entityid": "OData-EntityId",
    "location": "Location",
    "content-type": "Content-Type",
    "etag": "ETag",
    "preference-applied": "Preference-Applied",
    "req_id": "REQ_ID",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One `application/http` part."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes
    content_id: str = ""


Item = Operation | list[Operation]
"""One operation, or a change set."""


def _stream(message: str) -> Refused:
    return Refused(400, "0x80048d19", f"Error identified in Payload provided by the user. {message}")


def parse_batch(body: bytes, content_type: str) -> list[Item]:
    """The items of a batch in order; CRLF everywhere, also at the very end."""
    boundary = _BOUNDARY.fullmatch(content_type)
    if boundary is None:
        raise Refused(
            400, "0x80060888", "The content type of a batch must be multipart/mixed with a boundary."
        )
    if re.search(rb"(?<!\r)\n", body) or not body.endswith(b"\r\n"):
        raise _stream("Stream was not readable.")
    items: list[Item] = []
    for headers, content in _parts(body, boundary.group(1)):
        kind = headers.get("content-type", "")
        inner = _BOUNDARY.fullmatch(kind)
        if inner is None:
            items.append(_operation(headers, content))
            continue
        # The CRLF before the outer delimiter belongs to that delimiter.
        operations = [_operation(*part) for part in _parts(content + b"\r\n", inner.group(1))]
        if any(operation.method == "GET" for operation in operations):
            raise _stream("A change set must not contain a GET request.")
        if any(not operation.content_id for operation in operations):
            raise _stream("Every request of a change set needs a Content-ID.")
        items.append(operations)
    if sum(len(item) if isinstance(item, list) else 1 for item in items) > MOST:
        raise Refused(400, "0x80060888", f"A batch can hold at most {MOST} requests.")
    return items


def _parts(body: bytes, boundary: str) -> list[tuple[dict[str, str], bytes]]:
    mark = b"--" + boundary.encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 3 or pieces[0].strip() or pieces[-1].rstrip(b"\r\n") != b"--":
        raise _stream("The multipart body is not framed by its boundary.")
    parts = []
    for piece in pieces[1:-1]:
        if not piece.startswith(b"\r\n"):
            raise _stream("The multipart body is not framed by its boundary.")
        head, gap, content = piece[2:].partition(b"\r\n\r\n")
        if not gap:
            raise _stream("A part has no blank line behind its headers.")
        parts.append((_headers(head), content))
    return parts


def _headers(head: bytes) -> dict[str, str]:
    headers = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise _stream("A header of a part is malformed.")
        headers[name.strip().lower()] = value.strip()
    return headers


def _operation(headers: dict[str, str], content: bytes) -> Operation:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/http":
        raise _stream("A part must be application/http.")
    if headers.get("content-transfer-encoding", "").lower() != "binary":
        raise _stream("A part must have Content-Transfer-Encoding: binary.")
    head, gap, body = content.partition(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    found = _REQUEST_LINE.fullmatch(line.decode("utf-8", "replace"))
    # Published clients end a request without body by one CRLF, the next being the delimiter's.
    if found is None or not (gap or content.endswith(b"\r\n")):
        raise _stream("A part does not hold an HTTP request.")
    if len(found.group(2)) > _LONGEST:
        raise bad("The request address is too long.")
    return Operation(found.group(1), found.group(2), _headers(rest), body, headers.get("content-id", ""))


class Batch:
    """Works the items of one batch through `perform`, one after another."""

    def __init__(
        self,
        perform: Callable[[Call], Response],
        atomically: Callable[[Callable[[], None]], None],
        request_id: str,
    ) -> None:
        self._perform = perform
        self._atomically = atomically
        self._request_id = request_id

    def run(self, call: Call) -> Response:
        """The multipart answer: 200, or 400 with the failing part alone unless the client continues on errors."""
        if call.method != "POST":
            raise Refused(
                405, "0x80060888", f"The requested resource does not support http method '{call.method}'."
            )
        answers: list[bytes] = []
        status = 200
        for number, item in enumerate(parse_batch(call.body, call.headers.get("content-type", ""))):
            try:
                answers.append(
                    self._change_set(item, call, number) if isinstance(item, list) else self._one(item, call)
                )
            except Refused as refused:
                failed = refused.response()
                failed.headers["req_id"] = self._request_id
                part = _part(failed)
                if call.prefer.continue_on_error:
                    answers.append(part)
                    continue
                answers, status = [part], 400
                break
        boundary = f"batchresponse_{self._request_id}"
        return Response(
            status, {"content-type": f"multipart/mixed; boundary={boundary}"}, _joined(answers, boundary)
        )

    def _one(self, operation: Operation, call: Call) -> bytes:
        return _part(self._perform(_inner(operation, call, {})))

    def _change_set(self, operations: list[Operation], call: Call, number: int) -> bytes:
        answers: list[bytes] = []
        references: dict[str, str] = {}

        def work() -> None:
            for operation in operations:
                answer = self._perform(_inner(operation, call, references))
                entity = answer.headers.get("odata-entityid")
                if entity:
                    references[operation.content_id] = entity
                answers.append(_part(answer, operation.content_id))

        self._atomically(work)
        boundary = f"changesetresponse_{self._request_id[:-4]}{number:04d}"
        head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
        return head + _joined(answers, boundary).removesuffix(b"\r\n")


def _inner(operation: Operation, call: Call, references: Mapping[str, str]) -> Call:
    """The operation as a call of its own; headers of the batch do not carry over."""
    address = operation.address
    referred = _REFERENCE.fullmatch(address)
    if referred is not None and referred.group(1) != "batch":
        target = references.get(referred.group(1))
        if target is None:
            raise Refused(
                400,
                "0x80060888",
                f"Content-ID Reference: '${referred.group(1)}' does not exist in the batch context.",
            )
        address = target + referred.group(2)
    try:
        split = urlsplit(address)
    except ValueError:
        raise bad("The address of a part is malformed.") from None
    origin = call.root[: call.root.index("/api/data/")]
    if split.netloc and f"{split.scheme}://{split.netloc}" != origin:
        raise bad("A part addresses another host.")
    root = _ROOT.match(split.path)
    if root is None:
        raise bad("The address of a part must be absolute or start with the service root.")
    path = unquote(split.path[root.end() :])
    if path == "$batch":
        raise bad("Batch requests cannot be nested.")
    return replace(
        call,
        method=operation.method,
        path=path,
        query=parse_query(split.query),
        headers=operation.headers,
        body=operation.body.removesuffix(b"\r\n"),
        root=f"{origin}{root.group().rstrip('/')}",
        references=references,
    )


_REASONS = {
    200: "OK",
    201: "Created",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
}
_REASONS |= {
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
    415: "Unsupported Media Type",
}


def _part(answer: Response, content_id: str = "") -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Error')}"]
    headers = {**answer.headers, "odata-version": "4.0"}
    lines += [f"{_SPELLED.get(name, name)}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + answer.body


def _joined(parts: list[bytes], boundary: str) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
