"""Settings of the events flow: where log exports lie, how much is worked at once, and who writes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Schedule = Annotated[str, Field(pattern=r"^\S+( \S+){5}$")]
NO_SECRET = SecretStr("")


def _events(alias: str, default: Any, meaning: str) -> Any:
    return Field(default, alias=alias, description=meaning, json_schema_extra={"group": "Email events"})


class EventSettings(BaseModel):
    """Part of `Settings`."""

    events_container: str = _events(
        "EVENTS_CONTAINER", "", "Blob container that Campaign drops its log exports into. Empty: no events."
    )
    events_connection: SecretStr = _events(
        "EVENTS_CONNECTION",
        NO_SECRET,
        "Connection string of the account with that container. Local runs only; absent: managed identity.",
    )
    events_blob_uri: str = _events(
        "EVENTS_BLOB_URI", "", "Blob address of that account: `https://<account>.blob.core.windows.net`."
    )
    events_schedule: Schedule = _events(
        "EVENTS_SCHEDULE",
        "*/30 * * * * *",
        "When the container is looked at. Six fields, seconds first (NCRONTAB).",
    )
    events_pull_seconds: Seconds = _events(
        "EVENTS_PULL_SECONDS", 240.0, "How long one tick reads files; the next goes on where it stopped."
    )
    events_settle_s: Annotated[float, Field(ge=0)] = _events(
        "EVENTS_SETTLE_S", 30.0, "A file is read once it has not been written for so long."
    )
    events_partial_s: Annotated[float, Field(ge=0)] = _events(
        "EVENTS_PARTIAL_S",
        900.0,
        "A last line without line break is read only from files that have not been written for so long.",
    )
    events_file_mb: Count = _events("EVENTS_FILE_MB", 2048, "A larger file is refused.")
    events_days: Count = _events(
        "EVENTS_DAYS", 400, "Days that event rows are kept; older files and lines are refused."
    )
    events_buckets: Annotated[int, Field(ge=1, le=256)] = _events(
        "EVENTS_BUCKETS", 16, "Partitions of each delivery; keep it once events have been read."
    )
    events_read_rows: Annotated[int, Field(ge=1, le=100_000)] = _events(
        "EVENTS_READ_ROWS", 20_000, "Lines that are stored before the file's position is."
    )
    events_message_rows: Annotated[int, Field(ge=1, le=1000)] = _events(
        "EVENTS_MESSAGE_ROWS", 1000, "Open events per queue message and per bulk request, about."
    )
    events_parked_days: Count = _events(
        "EVENTS_PARKED_DAYS", 30, "Days that an event waits for a contact nobody knows yet."
    )
    events_user_ids: str = _events(
        "EVENTS_USER_IDS",
        "",
        "Client ids of further application users that write events, with commas: each has limits of its own.",
    )
    events_users_secret: SecretStr = _events(
        "EVENTS_USERS_SECRET",
        NO_SECRET,
        "Their secrets in the same order, with commas, by Key Vault reference.",
    )
