"""Watches every request that reaches Campaign, as it reaches it: order of versions, rate, and forbidden writes."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.wire import Request, Response
from tests.simulation.oracle import DELETED, LEFT, SmallMapping

if TYPE_CHECKING:
    from tests.simulation.world import World


RESERVED_S = 10.0
"""How long after its start a reservation may still be used (design 4.6)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a record was in Dynamics from a version on; `values` None means that it was gone."""

    version: int
    values: dict[str, Any] | None


class Witness:
    """Knows the whole history of the source, and judges each write by it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.facts: dict[str, list[Fact]] = {}
        self.mappings: list[SmallMapping] = [world.scenario.first_mapping]
        self._floor: dict[str, int] = {}
        self.sent: list[float] = []
        self.writes: dict[str, list[str]] = {}
        self.frozen = False
        """A synced system is being watched: any write is a violation (I8)."""
        self.forbidden_since = float("inf")
        """Requests sent from then on go to a system that this sync was not set up for."""
        self.violations: list[str] = []
        self.blocked: dict[str, float] = {}
        """Erased people, and since when nothing about them may arrive at Campaign."""

    def learned(self, record_id: str, version: int, values: dict[str, Any] | None) -> None:
        """A person changed the source."""
        self.facts.setdefault(record_id, []).append(Fact(version, values))

    def saw(self, request: Request, response: Response, sent_at: float) -> None:
        """A request reached Campaign."""
        world = self._world
        entry = world.campaign.log[-1]
        if entry.note == "token":
            return
        self.sent.append(sent_at)
        if sent_at >= self.forbidden_since:
            self._wrong(f"environment guard: {request.method} sent to Campaign")
        if world.now() > self.blocked.get(entry.record, float("inf")):
            self._wrong(f"block: {entry.note} of {entry.record} arrives")
        if request.method == "GET" or not 200 <= response.status < 300:
            return
        verb = entry.note.rpartition(".")[2]
        world.outcomes[f"campaign_{verb}"] += 1
        if self.frozen:
            self._wrong(f"I8: {verb} of {entry.record} in a synced system")
        body = json.loads(request.body) if request.body else {}
        self.writes.setdefault(entry.record, []).append(verb)
        self._in_order(entry.record, verb, body)

    def _in_order(self, record_id: str, verb: str, body: dict[str, Any]) -> None:
        """The written state must be one the source had, not before the one written last (I3)."""
        if verb == "delete" and record_id in self._world.people.strangers:
            return
        facts = self.facts.get(record_id, [])
        fitting = [index for index, fact in enumerate(facts) if self._fits(fact, verb, body)]
        if not fitting:
            self._wrong(f"I1: {verb} of {record_id} writes what Dynamics never held: {body}")
            return
        floor = self._floor.get(record_id, 0)
        place = bisect_left(fitting, floor)
        if place == len(fitting):
            was, now = facts[fitting[-1]].version, facts[floor].version
            self._wrong(f"I3: {verb} of {record_id} writes version {was} over {now}")
            return
        self._floor[record_id] = fitting[place]

    def _fits(self, fact: Fact, verb: str, body: dict[str, Any]) -> bool:
        return any(self._allowed(mapping, fact.values, verb, body) for mapping in self._versions())

    def _versions(self) -> list[SmallMapping]:
        """Every version, under every label that there was: labels are looked at every ten minutes."""
        labels = {mapping.labels for mapping in self.mappings if mapping.labels}
        found = [
            replace(mapping, labels=told) if told else mapping
            for mapping in self.mappings
            for told in (sorted(labels) if mapping.labels else [""])
        ]
        return list(dict.fromkeys(found))

    def _allowed(
        self, mapping: SmallMapping, values: dict[str, Any] | None, verb: str, body: dict[str, Any]
    ) -> bool:
        """Whether a version of the mapping writes this for a record that is so (or gone)."""
        did = "delete" if verb == "delete" else body
        if values is None:
            return did == (
                "delete" if mapping.deletes is True else {"fax": DELETED} if mapping.deletes else ""
            )
        if mapping.loses(values):
            return did == "delete"
        if not mapping.wanted(values):
            return bool(did == {"keep": "", "delete": "delete", "mark": {"fax": LEFT}}[mapping.leaving])
        return verb != "delete" and self._matches(mapping, values, body)

    @staticmethod
    def _matches(mapping: SmallMapping, values: dict[str, Any], body: dict[str, Any]) -> bool:
        expected = mapping.profile(values)
        if expected is None or mapping.loses(values):
            return False
        raw = {**values, "gendercode": values.get("gendercode")}
        plain = {
            "firstName": raw.get("firstname") or "",
            "lastName": raw.get("lastname") or "",
            "middleName": raw.get("middlename") or "",
        }
        return all(
            value == (plain[name] if name in plain else expected.get(name))
            for name, value in body.items()
            if name != "externalId"
        )

    def _wrong(self, text: str) -> None:
        self._world.note("VIOLATION", text)
        self.violations.append(text)

    def over_limit(self, limit: int, window_s: float) -> str:
        """The first sliding window with more calls than the limit, or "" (I6)."""
        times = sorted(self.sent)
        for index in range(len(times) - limit):
            if times[index + limit] - times[index] < window_s:
                return f"I6: more than {limit} calls in {window_s:.0f} s"
        return ""

    def over_rate(self, limit: int, window_s: float, burst: int, chunk: int) -> str:
        """The same over intervals of any length: what design 4.6 takes apart into burst, chunk and rate."""
        if limit > 1000:
            return ""
        rate = (limit - burst - chunk) / (window_s + RESERVED_S)
        times = sorted(self.sent)
        for first, start in enumerate(times):
            for last in range(first + burst + chunk, len(times)):
                allowed = burst + chunk + rate * (times[last] - start + RESERVED_S)
                if last - first + 1 > allowed:
                    return (
                        f"I6: {last - first + 1} calls in {times[last] - start:.1f} s, {allowed:.1f} allowed"
                    )
        return ""
