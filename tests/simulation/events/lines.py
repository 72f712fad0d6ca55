"""Lines of Campaign's logs, as a person would write them down and as exports write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log in one version, as a person would write it down."""

    kind: str
    log_id: int
    contact: str
    delivery: str
    at: float
    modified: float
    url: str = ""
    proof: bool = False

    @property
    def log(self) -> str:
        return "delivery" if self.kind in ("send", "bounce", "soft") else "tracking"


def id_last(line: str) -> str:
    first, _, rest = line.partition(",")
    return f"{rest},{first}"


def text_of(line: Line) -> str:
    """A line as an export writes it."""
    at, modified = _time(line.at), _time(line.modified)
    flags = f"{int(line.proof)},0"
    if line.log == "tracking":
        kind = "Open" if line.kind == "open" else "Email click"
        return (
            f"{line.log_id},{modified},{line.delivery},C,{line.contact},{at},{kind},{flags},{line.url},Mail/1"
        )
    status, bounce = (
        ("Sent", "") if line.kind == "send" else ("Failed", "Hard" if line.kind == "bounce" else "Soft")
    )
    return f"{line.log_id},{modified},{line.delivery},C,{line.contact},{at},{status},{flags},{bounce},,"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") + "Z"


def date_of(line: Line) -> str:
    return _time(line.at).replace(" ", "T")
