"""Errors in both formats of the service: gateway JSON and engine plain text (adobe.md B.8)."""

from __future__ import annotations

from sandbox.wire import Response, json_response

GENERAL = "RST-360011 An error has occurred - please contact your administrator."


V8_GENERAL = "An error has occurred - please contact your administrator."


class Refusal(Exception):
    """The engine says no: an HTTP status and lines of plain text; `v8` is what v8 says instead (adobe.md D)."""

    def __init__(self, status: int, *lines: str, v8: tuple[int, str] = (500, V8_GENERAL)) -> None:
        self.status = status
        self.lines = lines
        self.v8 = v8
        super().__init__(lines[0])

    def response(self, dialect: str = "standard") -> Response:
        status, body = (self.status, "\n".join(self.lines)) if dialect == "standard" else self.v8
        return Response(status, {"content-type": "text/plain;charset=utf-8"}, body.encode())


def invalid(*details: str) -> Refusal:
    """A permanent data error, which the engine reports as a 500; v8 keeps the details to itself."""
    return Refusal(500, GENERAL, *details)


def unknown_property(name: str, resource: str) -> Refusal:
    """The one detail that v8 is documented to give (PATCH of `location`, attributes of a linked object)."""
    text = f"'{name}' property is not valid for the '{resource}' resource"
    return Refusal(500, GENERAL, text, v8=(500, f"{V8_GENERAL} {text}"))


def read_only(name: str, resource: str) -> Refusal:
    return invalid(
        f"Cannot update the '{name}' property that is read-only",
        f"'{name}' property is not valid for the '{resource}' resource",
    )


def bad_enumeration(value: object, schema: str, name: str) -> Refusal:
    return invalid(
        f"The value '{value}' is not valid for the '{schema}:{name}' enumeration of the '@{name}' field"
    )


def bad_value(value: object, name: str, why: str) -> Refusal:
    """The text is not documented; like the documented ones it repeats the value."""
    return invalid(f"The value '{value}' is not valid for the '@{name}' field, {why}")


def unknown_key(key: str, resource: str, label: str) -> Refusal:
    text = (
        f"Unable to find document with path '{label}' from key '{key}' "
        f"(document with schema '{resource}' and name '{key}')"
    )
    return Refusal(404, f"{GENERAL} {text}", v8=(404, text))


def unparsable_key(key: str, plural: str, schema: str, endpoint: str = "") -> Refusal:
    """A key that is no PKey of this instance; `endpoint` is the path it stood in, "" for a body."""
    if key.startswith("@"):
        cause = f"'{key}' is not a valid constant."
    else:
        cause = f"'{key}' attribute unknown (see definition of '{plural} ({schema})' schema)."
    told = f"Unable to decrypt PKey. (PKey={key})"
    if endpoint:
        told += f" Unsupported endpoint. (endpoint=rest/{endpoint}/{key})"
    expression = f"XTK-170036 Unable to parse expression '@id = @{key.removeprefix('@')}'."
    return Refusal(500, GENERAL, cause, expression, v8=(404, told))


def key_change(resource: str, old: str, new: str) -> Refusal:
    return Refusal(
        500,
        f"RST-360012 Inconsistent operation on resource '{resource}' - Cannot update key '{old}' to '{new}'.",
    )


def duplicate(label: str, table: str, column: str, value: object) -> Refusal:
    return invalid(
        f"A '{label}' with the same key '{value}' already exists.",
        "PGS-220000 PostgreSQL error: ERROR: duplicate key value violates unique constraint "
        f'"{table}_{column}" DETAIL: Key (s{column})=({value}) already exists.',
    )


def bad_path() -> Refusal:
    """A path that names no resource or no operation (AIO issue 51)."""
    return Refusal(404, f"{GENERAL} Error rc=-2003", v8=(404, "Unsupported endpoint."))


def gateway(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_response(status, {"error_code": code, "message": message}, headers)


def lost_route() -> Response:
    """The gateway does not know the tenant or the service."""
    message = "Oops. Something went wrong. Check your URI and try again."
    return json_response(500, {"code": 500, "message": message})
