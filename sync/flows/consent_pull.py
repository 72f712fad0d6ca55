"""pull_consents: find the profiles whose consent changed in Campaign, and hint them (design 4.7).

By the published filter byLastModified where there is one, else newest first down to the watermark, else from export
files (sync/flows/consent_exports.py). The first two reach back by an overlap, so that a record that moved while pages
were read, or became visible late, is met again. The watermark is written after the hints of everything it covers;
overlapping pulls repeat work and lose none.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from sync import telemetry
from sync.campaign.records import Page
from sync.errors import SyncError
from sync.flows.consent_exports import hint_from_exports
from sync.flows.consent_hints import hint_profiles, is_contact_id
from sync.flows.consent_source import Source, find_source, newest_first
from sync.flows.context import Context
from sync.model import Row, to_iso
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import seconds
from sync.storage.watermarks import Progress

PAGE = 200
NOTE = "consents"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the look stands: `since` is done up to; `link` the next page of a look that began with `newest` on top."""

    since: float = 0.0
    newest: float = 0.0
    link: str = ""
    filtered: bool = False
    pulled_at: float = 0.0


async def read_place(context: Context, mapping: str) -> Place:
    """The stored place, or the start of time."""
    text = await context.control.noted(mapping, NOTE)
    return Place(**json.loads(text)) if text else Place()


async def pull_consents(context: Context) -> int:
    """One tick; how many profiles were hinted. Errors are logged, noted for `status`, and the next tick tries again."""
    told = context.consent_map
    if told is None or context.consent_of(told.consent) is None:
        return 0
    mapping = told.consent
    try:
        version = await context.mappings.active(mapping)
        if version is None or not version.enabled:
            return 0
        consents = await context.resolved_consent(mapping)
        progress = await context.watermarks.progress(mapping)
        if consents is None or progress.generation == 0:
            return 0
        await context.guard(progress)
        found = await _pull(context, consents, progress)
        await context.control.resume(mapping, "consents")
    except SyncError as error:
        await context.stopped(mapping, "consents", error)
        return 0
    await context.counters.flush(now=True)
    return found


async def _pull(context: Context, consents: Consents, progress: Progress) -> int:
    began = context.clock.now()
    place = await read_place(context, progress.mapping)
    if not place.since:
        # What was opted out before is met by the full read: it finds every row undecided. Kept at once: a first look
        # that fails must not begin later.
        place = replace(place, since=progress.started or began)
        await context.control.note(progress.mapping, NOTE, json.dumps(asdict(place)))
    if context.source is None:
        context.source = await find_source(
            context.profiles, context.spend, exports=context.exports is not None
        )
    if context.source is Source.EXPORT and context.exports is not None:
        found = await hint_from_exports(context, context.exports, progress)
        await context.control.note(
            progress.mapping, NOTE, json.dumps(asdict(replace(place, pulled_at=began)))
        )
        return found
    back = place.since - context.settings.consent_overlap_s
    page, place = await _first(context, place, back)
    found = 0
    while True:
        if not place.filtered and not newest_first(page.rows):
            context.source = None
            raise SyncError("consents_not_found", "Campaign does not keep the order by time")
        times = [at for row in page.rows if (at := _modified(row)) is not None]
        wanted = {str(row.get("externalId", "")).lower(): row for row in page.rows if _in_reach(row, back)}
        ours = {record_id: row for record_id, row in wanted.items() if is_contact_id(record_id)}
        found += await hint_profiles(context, progress, consents, ours)
        place = replace(place, newest=max([place.newest, *times]), link=page.next or "")
        over = page.next is None or (not place.filtered and bool(times) and min(times) < back)
        if over:
            since = max(place.since, place.newest)
            place = Place(since=since, filtered=place.filtered, pulled_at=began)
        elif context.clock.now() - began < context.settings.pull_seconds:
            await context.spend()
            page = await context.profiles.follow(place.link)
            continue
        await context.control.note(progress.mapping, NOTE, json.dumps(asdict(place)))
        if found:
            telemetry.event("consents_pulled", mapping=progress.mapping, records=found)
        return found


async def _first(context: Context, place: Place, back: float) -> tuple[Page, Place]:
    """The page to begin with: of a look that was not finished, or of a new one."""
    if place.link:
        await context.spend()
        try:
            return await context.profiles.follow(place.link), place
        except SyncError as error:
            if error.code in ("campaign_unreachable", "campaign_throttled", "campaign_unauthorized"):
                raise
            telemetry.event("consents_from_the_top", code=error.code)
    filtered = context.source is Source.FILTER
    place = replace(place, link="", newest=0.0, filtered=filtered)
    await context.spend()
    return await context.profiles.changed(to_iso(back), PAGE, filtered=filtered), place


def _modified(row: Row) -> float | None:
    return seconds(str(row.get("lastModified") or ""))


def _in_reach(row: Row, back: float) -> bool:
    """Whether a profile was modified since; one without a time always is."""
    at = _modified(row)
    return at is None or at >= back
