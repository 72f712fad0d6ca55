"""Errors in both formats of the service: gateway JSON and engine plain text (adobe.md B.8)."""

from __future__ import annotations

from sandbox.wire import Response, json_response

GENERAL = "RST-360011 An error has occurred - please contact your administrator."


class Refusal(Exception):
    """The engine says no: an HTTP status and lines of plain text."""

    def __init__(self, status: int, *lines: str) -> None:
        self.status = status
        self.lines = lines
        super().__init__(lines[0])

    def response(self) -> Response:
        body = "\n".join(self.lines).encode()
        return Response(self.status, {"content-type": "text/plain;charset=utf-8"}, body)


def invalid(*details: str) -> Refusal:
    """A permanent data error, which the engine reports as a 500."""
    return Refusal(500, GENERAL, *details)


def unknown_property(name: str, resource: str) -> Refusal:
    return invalid(f"'{name}' property is not valid for the '{resource}' resource")


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
    return Refusal(
        404,
        f"{GENERAL} Unable to find document with path '{label}' from key '{key}' "
        f"(document with schema '{resource}' and name '{key}')",
    )


def unparsable_key(key: str, plural: str, schema: str) -> Refusal:
    """A URI key that is no PKey of this instance."""
    if key.startswith("@"):
        cause = f"'{key}' is not a valid constant."
    else:
        cause = f"'{key}' attribute unknown (see definition of '{plural} ({schema})' schema)."
    return invalid(cause, f"XTK-170036 Unable to parse expression '@id = @{key.removeprefix('@')}'.")


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
    return Refusal(404, f"{GENERAL} Error rc=-2003")


def gateway(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return json_response(status, {"error_code": code, "message": message}, headers)


def lost_route() -> Response:
    """The gateway does not know the tenant or the service."""
    message = "Oops. Something went wrong. Check your URI and try again."
    return json_response(500, {"code": 500, "message": message})
