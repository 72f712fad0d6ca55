"""What the timeline must show: written by hand from the lines, never taken from `sync/`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.simulation.events.mail import Line, date_of

if TYPE_CHECKING:
    from tests.simulation.events.world import EventWorld

DATES = {
    "send": "acs_datesent",
    "open": "acs_dateopened",
    "click": "acs_dateclicked",
    "bounce": "acs_datebounced",
}
Shown = dict[tuple[str, str, str], tuple[object, ...]]
"""What identifies an activity → what it must say."""


def expected(world: EventWorld) -> Shown:
    """The timeline of all contacts that are there."""
    gone = world.mail.gone
    lines = [line for line in world.mail.lines if not line.proof and line.contact not in gone]
    newest: dict[tuple[str, str, int], Line] = {}
    for line in lines:
        kind = "bounce" if line.kind == "soft" else line.kind
        key = (line.log, kind, line.log_id)
        if key not in newest or line.modified > newest[key].modified:
            newest[key] = line
    kept = [line for line in newest.values() if line.kind != "soft"]
    if world.granularity == "per_delivery":
        return _per_delivery(kept)
    shown: Shown = {}
    for line in kept:
        mark = ""
        if line.kind == "send":
            bounce = newest.get(("delivery", "bounce", line.log_id))
            if bounce is not None and bounce.kind == "bounce" and bounce.modified >= line.modified:
                mark = date_of(bounce)
        shown[line.kind, line.contact, date_of(line)] = (line.delivery, line.url, mark)
    return shown


def _per_delivery(lines: list[Line]) -> Shown:
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.contact, line.delivery].append(line)
    shown: Shown = {}
    for (contact, delivery), group in groups.items():
        by = {kind: sorted(date_of(line) for line in group if line.kind == kind) for kind in DATES}
        shown["send", contact, delivery] = (
            len(by["open"]),
            len(by["click"]),
            by["send"][0] if by["send"] else None,
            by["open"][-1] if by["open"] else None,
            by["click"][-1] if by["click"] else None,
            by["bounce"][-1] if by["bounce"] else None,
        )
    return shown


def actual(world: EventWorld) -> tuple[Shown, list[str]]:
    """The timeline as Dynamics has it, and what is there twice."""
    shown: Shown = {}
    twice: list[str] = []
    for one in world.shown():
        identity = world.identity(one)
        if identity in shown:
            twice.append(f"I2: {identity} twice")
        if world.granularity == "per_delivery":
            names = ("acs_opencount", "acs_clickcount", "acs_datesent", "acs_dateopened", "acs_dateclicked",
                     "acs_datebounced")  # fmt: skip
            shown[identity] = tuple(one[name] for name in names)
        else:
            url = one.get("acs_trackingurl") or ""
            mark = (one.get("acs_datebounced") or "") if identity[0] == "send" else ""
            shown[identity] = (one["acs_deliveryname"], url, mark)
    return shown, twice


def differences(world: EventWorld) -> list[str]:
    """Everything that is wrong with the timeline."""
    wanted = expected(world)
    found, wrong = actual(world)
    for identity in world.mail.deleted:
        wanted.pop(identity, None)
        if identity in found:
            wrong.append(f"deleted by a salesperson and back: {identity}")
    wrong += [f"I1: missing {identity}" for identity in sorted(wanted.keys() - found.keys())]
    wrong += [f"nobody asked for {identity}" for identity in sorted(found.keys() - wanted.keys())]
    for identity in sorted(wanted.keys() & found.keys()):
        if wanted[identity] != found[identity]:
            wrong.append(f"I1: {identity} shows {found[identity]} instead of {wanted[identity]}")
    return wrong
