"""One JSON object per log event: names, ids and numbers, never values.

The Functions host drops `extra=` (worker issues 694, 788), so the message text itself is the JSON.
"""

from __future__ import annotations

import json
import logging

logger = logging.getLogger("sync")

Field = str | int | float | bool | None


def event(name: str, *, level: int = logging.INFO, **fields: Field) -> None:
    """Log `{"event": name, ...}`; fields are flow, mapping, record, correlation, code, counts and seconds."""
    if logger.isEnabledFor(level):
        shown = {key: value for key, value in fields.items() if value is not None and value != ""}
        logger.log(level, "%s", json.dumps({"event": name, **shown}, separators=(",", ":")))


def warning(name: str, **fields: Field) -> None:
    """An event that an operator should see."""
    event(name, level=logging.WARNING, **fields)
