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
from sync.campaign.listing import Page
from sync.errors import SyncError
from sync.flows import consent_fit
from sync.flows.consent_exports import hint_from_exports
from sync.flows.consent_hints import hint_profiles, is_contact_id
from sync.flows.consent_source import Source, find_source, newest_first
from sync.flows.context import Context
from sync.model import Row, to_iso
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import seconds
from sync.storage.watermarks import Progress

PAGE = 200
TOP_PAGES = 20
TOP_EVERY_S = 30.0
NOTE = "consents"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the look stands: `since` is done up to; `link` the next page of a look that `began` at a time of ours.

    `newest` and `top` are times of Campaign's: the newest profile that the look met, and up to where its top was looked
    at again meanwhile.
    """

    since: float = 0.0
    newest: float = 0.0
    link: str = ""
    filtered: bool = False
    pulled_at: float = 0.0
    began: float = 0.0
    top: float = 0.0

    @property
    def reached(self) -> float:
        """Up to when changes are met once the look is over: what moves behind its back is newer than its beginning."""
        return max(self.since, min(self.newest, self.began), self.top)


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
        consents = await consent_fit.resolved(context, mapping)
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
    walk = _Walk(context, consents, progress, began, place)
    try:
        if place.link and began - place.pulled_at >= TOP_EVERY_S:
            await walk.top()
        await walk.down()
    finally:
        # Also if a call failed: the pages before it are hinted.
        await context.control.note(progress.mapping, NOTE, json.dumps(asdict(walk.place)))
    if walk.found:
        telemetry.event("consents_pulled", mapping=progress.mapping, records=walk.found)
    return walk.found


@dataclass
class _Walk:
    """Pages of changed profiles, hinted as they are read; `began` is this tick's, `place` what is hinted already."""

    context: Context
    consents: Consents
    progress: Progress
    began: float
    place: Place
    found: int = 0

    async def down(self) -> None:
        """Page by page until everything since the last look is met, or until the tick's time is up."""
        context = self.context
        back = self.place.since - context.settings.consent_overlap_s
        page = await self._first()
        while True:
            newest, over = await self._hint(page, back, filtered=self.place.filtered)
            self.place = place = replace(
                self.place, newest=max(self.place.newest, newest), link=page.next or ""
            )
            if over:
                self.place = Place(since=place.reached, filtered=place.filtered, pulled_at=self.began)
                return
            if context.clock.now() - self.began >= context.settings.pull_seconds:
                return
            await context.spend()
            page = await context.profiles.follow(place.link)

    async def _first(self) -> Page:
        """The page to begin with: of a look that was not finished, or of a new one."""
        context, place = self.context, self.place
        if place.link:
            await context.spend()
            try:
                return await context.profiles.follow(place.link)
            except SyncError as error:
                if error.code in ("campaign_unreachable", "campaign_throttled", "campaign_unauthorized"):
                    raise
                telemetry.event("consents_from_the_top", code=error.code)
        filtered = context.source is Source.FILTER
        self.place = Place(since=place.since, filtered=filtered, began=self.began, pulled_at=place.pulled_at)
        back = place.since - context.settings.consent_overlap_s
        await context.spend()
        return await context.profiles.changed(to_iso(back), PAGE, filtered=filtered)

    async def top(self) -> None:
        """What changed since a long look began (a bulk update behind it must not delay an opt-out by hours)."""
        context, place = self.context, self.place
        back = place.reached - context.settings.consent_overlap_s
        await context.spend()
        page = await context.profiles.changed(to_iso(back), PAGE, filtered=place.filtered)
        highest = 0.0
        for _ in range(TOP_PAGES):
            newest, over = await self._hint(page, back, filtered=place.filtered)
            highest = max(highest, newest)
            if over or page.next is None:
                top = max(place.reached, min(highest, self.began))
                self.place = replace(place, top=top, pulled_at=self.began)
                return
            await context.spend()
            page = await context.profiles.follow(page.next)

    async def _hint(self, page: Page, back: float, *, filtered: bool) -> tuple[float, bool]:
        """Hint a page's profiles; the newest time on it, and whether the walk is over."""
        if not filtered and not newest_first(page.rows):
            self.context.source = None
            raise SyncError("consents_not_found", "Campaign does not keep the order by time")
        times = [at for row in page.rows if (at := _modified(row)) is not None]
        wanted = {str(row.get("externalId", "")).lower(): row for row in page.rows if _in_reach(row, back)}
        ours = {record_id: row for record_id, row in wanted.items() if is_contact_id(record_id)}
        self.found += await hint_profiles(self.context, self.progress, self.consents, ours)
        over = page.next is None or (not filtered and bool(times) and min(times) < back)
        return max(times, default=0.0), over


def _modified(row: Row) -> float | None:
    return seconds(str(row.get("lastModified") or ""))


def _in_reach(row: Row, back: float) -> bool:
    """Whether a profile was modified since; one without a time always is."""
    at = _modified(row)
    return at is None or at >= back
