"""The message of the `events` lane: names of partitions with open rows, about a bulk request's worth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.flows.events.context import EventContext
from sync.model import Lane
from sync.storage.lanes import MessageUnreadable, gather_all

LONGEST = 40 * 1024
MOST_CONTACTS = 500
"""Named in one message: 40 characters each."""


@dataclass(frozen=True, slots=True)
class PartitionName:
    """A partition; the parked and refused rows of `contacts` count as open: they appeared, or a person asks."""

    name: str
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventMessage:
    """`again` counts deliveries that ended abnormally, and returns from poison."""

    epoch: int
    partitions: tuple[PartitionName, ...]
    again: int = 0


def to_text(message: EventMessage) -> str:
    names = [[p.name, *p.contacts] if p.contacts else p.name for p in message.partitions]
    content = {"epoch": message.epoch, "partitions": names, "again": message.again}
    return json.dumps(content, separators=(",", ":"))


def from_text(body: str) -> EventMessage:
    """The message of a text; raises MessageUnreadable."""
    try:
        raw = json.loads(body)
        names = tuple(
            PartitionName(item) if isinstance(item, str) else PartitionName(str(item[0]), tuple(item[1:]))
            for item in raw["partitions"]
        )
        return EventMessage(int(raw["epoch"]), names, int(raw["again"]))
    except (ValueError, KeyError, TypeError, IndexError):
        raise MessageUnreadable("a message that names no partitions") from None


async def send(context: EventContext, message: EventMessage, *, delay_s: float = 0.0) -> None:
    await context.lanes.queue(Lane.EVENTS).put(to_text(message), delay_s=delay_s)


async def send_partitions(context: EventContext, epoch: int, open_rows: Mapping[str, int]) -> int:
    """Queue partitions, as many to a message as hold about EVENTS_MESSAGE_ROWS open rows; how many messages."""
    messages = [
        EventMessage(epoch, tuple(map(PartitionName, part)))
        for part in packed(sorted(open_rows.items()), context.settings.events_message_rows)
    ]
    for start in range(0, len(messages), 16):
        await gather_all([send(context, message) for message in messages[start : start + 16]])
    return len(messages)


def packed(partitions: Iterable[tuple[str, int]], most: int) -> Iterable[Sequence[str]]:
    """Names in groups of about `most` rows, none too long for a message."""
    group: list[str] = []
    rows = size = 0
    for name, count in partitions:
        if group and (rows + count > most or size + len(name) + 3 > LONGEST):
            yield group
            group, rows, size = [], 0, 0
        group.append(name)
        rows += count
        size += len(name) + 3
    if group:
        yield group


async def send_contacts(context: EventContext, epoch: int, wanted: Iterable[tuple[str, str]]) -> int:
    """Queue (partition, contact) pairs whose closed rows are to be worked again; how many messages."""
    pairs = sorted(set(wanted))
    sent = 0
    for start in range(0, len(pairs), MOST_CONTACTS):
        names: dict[str, list[str]] = {}
        for partition, contact in pairs[start : start + MOST_CONTACTS]:
            names.setdefault(partition, []).append(contact)
        sent += await _send_names(context, epoch, names)
    return sent


async def _send_names(context: EventContext, epoch: int, names: Mapping[str, Sequence[str]]) -> int:
    """Names of partitions may be long too: as many messages as it takes."""
    sent = 0
    part: list[PartitionName] = []
    size = 0
    for partition, contacts in names.items():
        weight = len(partition) + 40 * len(contacts) + 8
        if part and size + weight > LONGEST:
            await send(context, EventMessage(epoch, tuple(part)))
            sent, part, size = sent + 1, [], 0
        part.append(PartitionName(partition, tuple(contacts)))
        size += weight
    if part:
        await send(context, EventMessage(epoch, tuple(part)))
        sent += 1
    return sent
