"""`status --json`: the same facts as one object; times are ISO-8601, ages and durations seconds."""

from __future__ import annotations

from typing import Any

from sync.cli.status_work import paused_json
from sync.flows.status import LedgerCount, MappingStatus, Status, backlog_s, job_eta_s
from sync.model import to_iso
from sync.settings import Settings
from sync.storage.jobs import Job


def as_json(found: Status, counts: dict[str, LedgerCount], settings: Settings) -> dict[str, Any]:
    """The object."""
    return {
        "at": to_iso(found.at),
        "lanes": found.lanes,
        "oldest_s": {name: round(age, 1) for name, age in found.oldest_s.items()},
        "budget": {
            "used": round(found.budget_used, 4),
            "calls_per_s": round(found.calls_per_s, 3),
            "backfill_calls_per_s": round(found.backfill_calls_per_s, 3),
            **({"day": {"calls": found.day_calls, "used": found.day_used}} if found.day_calls else {}),
        },
        "unreadable": found.unreadable,
        "mappings": [_mapping(found, item, counts.get(item.mapping), settings) for item in found.mappings],
    }


def _mapping(
    found: Status, item: MappingStatus, exact: LedgerCount | None, settings: Settings
) -> dict[str, Any]:
    progress, tick = item.progress, item.tick
    eta = backlog_s(found, item, settings.chunk_records)
    told: dict[str, Any] = {
        "mapping": item.mapping,
        "version": item.version,
        "older_mapping_version": item.older(),
        "phase": item.phase.value,
        "fresh": item.fresh,
        "age_s": None if item.age_s is None else round(item.age_s, 1),
        "waits": {
            flow: {"code": pause.code, "since": to_iso(pause.since), "detail": pause.detail}
            for flow, pause in item.waits.items()
        },
        "paused": paused_json(item.stops),
        "jobs": [_job(found, item, job, settings) for job in item.jobs],
        "epoch": progress.epoch,
        "generation": progress.generation,
        "swept": progress.swept,
        "full_read": {
            "running": progress.running,
            "pages": progress.pages,
            "records": progress.records,
            "total": progress.total,
            "started": to_iso(progress.started) if progress.started else None,
            "finished": to_iso(progress.finished) if progress.finished else None,
        },
        "delta_link_age_s": round(max(found.at - tick.link_at, 0.0), 1) if tick.link_at else None,
        "eta_s": None if eta is None else round(eta, 1),
        "rate": {
            "records_per_s": round(item.rate.records, 3),
            "calls_per_s": round(item.rate.calls, 3),
            "over_s": round(item.rate.over_s, 1),
        },
        "states": item.states(),
        "quarantined": item.quarantined(),
        "parked": dict(item.parked),
        "approved": item.approved,
        "deletes_24h": item.braked,
        "deletes_allowed_24h": item.brake,
        "expired": item.expired(),
        "consent": {
            "counts": {
                name.removeprefix("consent:"): count
                for name, count in sorted(item.counts.items())
                if name.startswith("consent:")
            },
            "opt_ins_stopped": list(item.opt_ins_stopped),
        },
    }
    if exact is not None:
        told["exact"] = _exact(exact)
    return told


def _job(found: Status, item: MappingStatus, job: Job, settings: Settings) -> dict[str, Any]:
    eta = job_eta_s(found, item, job, settings.chunk_records)
    return {
        "job": job.name,
        "verb": job.verb,
        "state": job.state,
        "code": job.code,
        "who": job.who,
        "started": to_iso(job.started),
        "updated": to_iso(job.updated),
        "done": job.done,
        "total": job.total,
        "found": dict(job.found),
        "eta_s": None if eta is None else round(eta, 1),
    }


def _exact(found: LedgerCount) -> dict[str, Any]:
    codes: dict[str, dict[str, int]] = {}
    for (state, code), count in sorted(found.codes.items()):
        codes.setdefault(state, {})[code] = count
    return {
        "rows": found.rows,
        "states": dict(found.states),
        "codes": codes,
        "older_mapping_version": found.older,
        "claimed": found.claimed,
        "unresolved": found.unresolved,
    }
