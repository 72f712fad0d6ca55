"""What the timeline must show: written by hand from the lines, never taken from `sync/`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sync.model import from_iso
from tests.simulation.events.lines import Line, date_of

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


def kept_lines(world: EventWorld) -> tuple[list[Line], dict[tuple[str, str, int], Line]]:
    """The newest version of each line of contacts that are there, soft bounces and proofs apart; and soft ones too."""
    gone = world.mail.gone
    heirs = [replace(line, contact=world.mail.heir(line.contact)) for line in world.mail.lines]
    lines = [line for line in heirs if not line.proof and line.contact not in gone]
    newest: dict[tuple[str, str, int], Line] = {}
    for line in lines:
        kind = "bounce" if line.kind == "soft" else line.kind
        key = (line.log, kind, line.log_id)
        if key not in newest or line.modified > newest[key].modified:
            newest[key] = line
    return [line for line in newest.values() if line.kind != "soft"], newest


def expected(world: EventWorld) -> Shown:
    """The timeline of all contacts that are there."""
    kept, newest = kept_lines(world)
    if world.granularity == "per_delivery":
        return _per_delivery(kept)
    if world.granularity == "first_of_kind":
        return _first_of_kind(kept, newest)
    return {
        (line.kind, line.contact, date_of(line)): (line.delivery, line.url, _mark([line], newest))
        for line in kept
    }


def _mark(sends: list[Line], newest: dict[tuple[str, str, int], Line]) -> str:
    """Date of the latest bounce that one of the sends turned into."""
    found: list[Line] = []
    for line in sends:
        bounce = newest.get(("delivery", "bounce", line.log_id)) if line.kind == "send" else None
        if bounce is not None and bounce.kind == "bounce" and bounce.modified >= line.modified:
            found.append(bounce)
    return date_of(max(found, key=lambda line: line.modified)) if found else ""


def _first_of_kind(lines: list[Line], newest: dict[tuple[str, str, int], Line]) -> Shown:
    groups: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.kind, line.contact, line.delivery].append(line)
    shown: Shown = {}
    for (kind, contact, delivery), group in groups.items():
        first = min(group, key=lambda line: line.at)
        shown[kind, contact, delivery] = (date_of(first), first.url, _mark(group, newest))
    return shown


def expected_tasks(world: EventWorld) -> Shown:
    """One for the clicks and one for the hard bounces of a contact in a delivery."""
    names = {"click": "task click", "bounce": "task hard_bounce"} if world.with_tasks else {}
    kept, _ = kept_lines(world)
    return {(names[line.kind], line.contact, line.delivery): () for line in kept if line.kind in names}


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


def once_hard(world: EventWorld) -> set[tuple[str, str, str]]:
    """What a bounce that was hard in some version may have left behind: it is not taken away (docs/events.md)."""
    found: set[tuple[str, str, str]] = set()
    for line in world.mail.lines:
        if line.kind == "bounce":
            place = date_of(line) if world.granularity == "every_event" else line.delivery
            contact = world.mail.heir(line.contact)
            found |= {("bounce", contact, place), ("task hard_bounce", contact, line.delivery)}
    return found


def actual(world: EventWorld) -> tuple[Shown, list[str]]:
    """The timeline as Dynamics has it, and what is there twice."""
    shown: Shown = {}
    twice: list[str] = []
    for one in [*world.shown(), *world.tasks()]:
        identity = world.identity(one)
        if identity in shown:
            twice.append(f"I2: {identity} twice")
        if one["table"] == "task":
            shown[identity] = ()
        elif world.granularity == "per_delivery":
            names = ("acs_opencount", "acs_clickcount", "acs_datesent", "acs_dateopened", "acs_dateclicked",
                     "acs_datebounced")  # fmt: skip
            shown[identity] = tuple(one[name] for name in names)
        else:
            url = one.get("acs_trackingurl") or ""
            mark = (one.get("acs_datebounced") or "") if identity[0] == "send" else ""
            first = (
                one[DATES[identity[0]]] if world.granularity == "first_of_kind" else one["acs_deliveryname"]
            )
            shown[identity] = (first, url, mark)
    return shown, twice


def regards_a_loser(world: EventWorld) -> list[str]:
    """Activities about a loser that no write planned before the merge was known can have made (docs/events.md)."""
    wrong = []
    for one in world.shown():
        loser = str(one["_regardingobjectid_value"])
        if loser in world.mail.lost:
            after = from_iso(one["createdon"]) - world.mail.known[loser]
            if after > world.under_way_s:
                wrong.append(f"{one['activityid']} about a loser, {after:.0f} s after the merge")
            else:
                world.outcomes["about_a_loser"] += 1
    return wrong


def differences(world: EventWorld) -> list[str]:
    """Everything that is wrong with the timeline."""
    wanted = expected(world) | expected_tasks(world)
    found, wrong = actual(world)
    wrong += regards_a_loser(world)
    for kind, contact, place in world.mail.deleted:
        identity = kind, world.mail.heir(contact), place
        wanted.pop(identity, None)
        if identity in found:
            wrong.append(f"deleted by a salesperson and back: {identity}")
    wrong += [f"I1: missing {identity}" for identity in sorted(wanted.keys() - found.keys())]
    surplus = found.keys() - wanted.keys() - once_hard(world)
    wrong += [f"nobody asked for {identity}" for identity in sorted(surplus)]
    for identity in sorted(wanted.keys() & found.keys()):
        if wanted[identity] != found[identity]:
            wrong.append(f"I1: {identity} shows {found[identity]} instead of {wanted[identity]}")
    return wrong
