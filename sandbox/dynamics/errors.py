"""What the service refuses, in its own words (dataverse.md 6)."""

from __future__ import annotations

from sandbox.wire import Response, json_response


class Refused(ValueError):
    """A request answered with an error: HTTP status, Dataverse code and message."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def response(self) -> Response:
        """The documented error body."""
        error = {"error": {"code": self.code, "message": self.message.encode(errors="replace").decode()}}
        return json_response(
            self.status, error, {"content-type": "application/json; odata.metadata=minimal", **self.headers}
        )


def bad(message: str, code: str = "0x80060888") -> Refused:
    """400: the URL or a header cannot be understood."""
    return Refused(400, code, message)


def payload(entity_set: str, inner: str) -> Refused:
    """400 0x80048d19: the body cannot be understood (dataverse.md 4.2)."""
    return Refused(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{entity_set}' "
        f"----> InnerException : Microsoft.OData.ODataException: {inner}",
    )


def no_segment(segment: str) -> Refused:
    """404: no such set, function or property."""
    return Refused(404, "0x8006088a", f"Resource not found for the segment '{segment}'.")


def no_property(name: str, table: str) -> Refused:
    """400: an unknown column in a query."""
    return Refused(
        400, "0x0", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    )


def no_row(table: str, row_id: str) -> Refused:
    """404: no record under this id."""
    return Refused(404, "0x80040217", f"{table} With Id = {row_id} Does Not Exist")


def no_keyed_row(table: str) -> Refused:
    """404: no record under this alternate key."""
    return Refused(
        404, "0x80060891", f"A record with the specified key values does not exist in {table} entity"
    )


def not_allowed(method: str) -> Refused:
    """405: this verb is not for this address."""
    return Refused(405, "0x80060888", f"The requested resource does not support http method '{method}'.")


def silent(what: str) -> Refused:
    """501: real or not, this look-alike does not cover it; better refused than guessed."""
    return Refused(501, "0x80040200", f"{what} is not covered by this look-alike.")
