"""`consent`: the story of one contact, counts and latency, a comparison of both systems, and the opt-in brake."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from typing import Annotated

import typer

from sync.cli.consent_words import SYSTEM, WORDS, sentence, standing, told_of
from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import CommandFailed, Output, Problem, counted, duration, number
from sync.cli.records import record_id
from sync.cli.session import Session, UsageProblem
from sync.cli.work import QUEUED
from sync.consent_row import Side
from sync.flows import consent_fit
from sync.flows.consent_brake import approve_opt_ins, braked
from sync.flows.consent_hints import hint
from sync.flows.consent_verify import Difference, Verified
from sync.flows.consent_verify import verify as verify_all
from sync.model import from_iso, to_iso
from sync.planning.consent import SENTENCES, Rule
from sync.storage.consent_journal import Entry
from sync.storage.ledger import bucket_of, partition_of

app = typer.Typer(
    help="Opt-outs in both systems: explain, report, verify, approve.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SHOWN = 50
UNITS = {"h": 3600, "d": 86_400, "m": 60}


@app.command()
def explain(
    context: typer.Context,
    contact: Annotated[str, typer.Argument(metavar="ID", help="Contact id.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell what was decided about a contact's consent, and why.

    From the consent journal, which holds no e-mail address and is kept for two years (CONSENT_JOURNAL_DAYS).

    Example:

      python -m sync consent explain 3f2504e0-4f89-41d3-9a0c-0305e82c3301
    """
    run(context, partial(_explain, contact=contact), settings=settings, as_json=as_json)


@app.command()
def report(
    context: typer.Context,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="24h, 7d, or a date and time.")
    ] = "24h",
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Count decisions and how long they took.

    The time is from the change to its effect on the other side; a first comparison and a new profile have none.

    Example:

      python -m sync consent report --since 7d
    """
    run(context, partial(_report, since=since), settings=settings, as_json=as_json)


@app.command()
def verify(
    context: typer.Context,
    heal: Annotated[bool, typer.Option("--heal", help="Send every difference to the consent flow.")] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare the consent of all linked contacts in both systems.

    One Campaign call for 200 profiles. Exit code 1 if something differs that nobody wants so.

    Example:

      python -m sync consent verify --heal
    """
    run(context, partial(_verify, heal=heal), settings=settings, as_json=as_json)


@app.command()
def approve(
    context: typer.Context,
    side: Annotated[str, typer.Option("--to", metavar="SYSTEM", help="campaign or dynamics.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Let opt-ins through that the brake holds back.

    Each contact is looked at once more; who opted out meanwhile stays opted out.

    Example:

      python -m sync consent approve --to campaign
    """
    run(context, partial(_approve, side=side), settings=settings, as_json=as_json)


def _mapping(session: Session) -> str:
    told = session.context.consent_map
    if told is None:
        raise CommandFailed(
            Problem("consent_off", "there is no consent map.", "Add mappings/consent.yaml and deploy it.")
        )
    return told.consent


async def _explain(session: Session, out: Output, *, contact: str) -> int:
    wanted, mapping, context = record_id(contact), _mapping(session), session.context
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    partition = partition_of(mapping, progress.epoch, bucket_of(wanted, context.buckets[mapping]))
    row = await context.consents.get(partition, wanted)
    entries = await context.journal.of(mapping, wanted)
    if out.as_json:
        out.json({"id": wanted, "now": list(standing(row)), "journal": [told_of(entry) for entry in entries]})
        return OK
    if row.etag is None and not entries:
        out.line(f"Nothing was ever decided about the consent of {wanted}.")
        return OK
    for entry in entries:
        out.line(f"{to_iso(entry.at)[:19]}Z  {sentence(entry)}")
    for state in standing(row):
        out.line(f"now  {state}")
    return OK


def read_since(text: str, now: float) -> float:
    """The time that `24h`, `7d` or a date means; raises UsageProblem."""
    if text[-1:] in UNITS and text[:-1].isdigit():
        return now - int(text[:-1]) * UNITS[text[-1]]
    try:
        return from_iso(text if "T" not in text or text.endswith("Z") or "+" in text else f"{text}Z")
    except (ValueError, OverflowError):
        raise UsageProblem(f"{text!r} is no time", "Write 24h, 7d, or 2026-11-24T10:00:00Z.") from None


async def _report(session: Session, out: Output, *, since: str) -> int:
    context, mapping = session.context, _mapping(session)
    start = read_since(since, context.clock.now())
    counts: Counter[tuple[str, str, str]] = Counter()
    waits: dict[str, list[float]] = {"campaign": [], "dynamics": []}
    async for entry in context.journal.since(mapping, start):
        counts[entry.rule, entry.wrote, entry.outcome] += 1
        wait = latency(entry)
        if wait is not None:
            waits[entry.wrote].append(wait)
    totals = await context.counters.totals(mapping)
    stopped = {
        side.value: at
        for side in (Side.CAMPAIGN, Side.DYNAMICS)
        if (at := await context.control.opt_ins_stopped(mapping, side.value))
    }
    waiting = {side: [item.record_id for item in await braked(context, mapping, side)] for side in stopped}
    told = {
        "since": to_iso(start),
        "decisions": [
            {"rule": rule, "wrote": wrote, "outcome": outcome, "count": count}
            for (rule, wrote, outcome), count in sorted(counts.items())
        ],
        "latency_s": {side: percentiles(values) for side, values in waits.items()},
        "kept": totals["consent:kept"],
        "undecidable": totals["consent:undecidable"],
        "lost_opt_ins": totals["consent:lost_opt_in"],
        "braked": {side: to_iso(at) for side, at in stopped.items()},
        "waiting": waiting,
    }
    if out.as_json:
        out.json(told)
        return OK
    told_map = context.consent_map
    out.line(f"Since {to_iso(start)[:19]}Z")
    rows = [
        [number(count), SYSTEM.get(wrote, "–"), outcome, SENTENCES[Rule(rule)]]
        for (rule, wrote, outcome), count in sorted(counts.items())
    ]
    if told_map is not None and told_map.direction == "off":
        out.line("Consent is off (`direction: off` in mappings/consent.yaml): opt-outs are not carried.")
    if rows:
        out.table(("decisions", "wrote", "outcome", "why"), rows)
    else:
        out.line("Nothing was decided.")
    for side, values in waits.items():
        shown = percentiles(values)
        if shown:
            told_times = ", ".join(f"{name} {duration(value)}" for name, value in shown.items())
            out.line(f"from a change to its effect in {SYSTEM[side]}: {told_times}")
    out.line(
        f"{counted(totals['consent:kept'], 'field')} kept different, "
        f"{counted(totals['consent:undecidable'], 'value')} that meant neither, "
        f"{counted(totals['consent:lost_opt_in'], 'opt-in')} refused as both sides acted (all since the start)"
    )
    for side, at in stopped.items():
        out.line(
            f"opt-ins of {counted(len(waiting[side]), 'contact')} towards {SYSTEM[side]} wait since "
            f"{to_iso(at)[:19]}Z for `consent approve --to {side}` (--json lists them)",
            style="red",
        )
    return OK


def latency(entry: Entry) -> float | None:
    """Seconds from the change on the other side to our write; None where it cannot be told.

    Where nothing was agreed yet, and when a profile is created, the times are older than the sync.
    """
    if not entry.wrote or entry.outcome != "done" or not entry.agreed:
        return None
    source = entry.dynamics_at if entry.wrote == "campaign" else entry.campaign_at
    try:
        return max(entry.at - from_iso(source), 0.0)
    except ValueError:
        return None


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95 and the longest; nothing without values."""
    if not values:
        return {}
    ordered = sorted(values)

    def rank(share: float) -> float:
        return round(ordered[max(math.ceil(share * len(ordered)) - 1, 0)], 1)

    return {"p50": rank(0.5), "p95": rank(0.95), "max": rank(1.0)}


async def _verify(session: Session, out: Output, *, heal: bool) -> int:
    context, mapping = session.context, _mapping(session)
    consents = await consent_fit.resolved(context, mapping)
    if consents is None:
        raise CommandFailed(
            Problem("consent_off", "the direction is off.", "Set it in mappings/consent.yaml.")
        )
    done = Verified()
    with out.progress("comparing") as tell:
        found = [item async for item in verify_all(context, consents, done, lambda seen: tell(seen))]
    open_ones = sorted({item.record_id for item in found if not item.kept})
    if heal:
        await hint(context, open_ones)
    if out.as_json:
        told = [
            {
                "id": item.record_id,
                "field": item.field,
                "campaign": WORDS["out" if item.campaign else "in"],
                "dynamics": WORDS["out" if item.dynamics else "in"],
                "kept": item.kept,
            }
            for item in found
        ]
        out.json(
            {
                "contacts": done.contacts,
                "undecidable": done.undecidable,
                "differences": told,
                "healed": len(open_ones) if heal else 0,
            }
        )
    else:
        _show(found, done, out)
        if heal and open_ones:
            out.line(f"{counted(len(open_ones), 'contact')} sent to the consent flow.")
            out.line(QUEUED)
    return FAILED if open_ones and not heal else OK


def _show(found: list[Difference], done: Verified, out: Output) -> None:
    rows = [
        [
            item.record_id,
            item.field,
            "out" if item.campaign else "in",
            "out" if item.dynamics else "in",
            "kept so" if item.kept else "",
        ]
        for item in found[:SHOWN]
    ]
    if rows:
        out.table(("contact", "field", "Campaign", "Dynamics", ""), rows)
    if len(found) > SHOWN:
        out.line(f"… and {number(len(found) - SHOWN)} more (--json lists all)")
    told = "no difference" if not found else counted(len(found), "difference")
    out.line(f"{counted(done.contacts, 'linked contact')} compared, {told}.")


async def _approve(session: Session, out: Output, *, side: str) -> int:
    if side not in SYSTEM:
        raise UsageProblem(f"{side!r} is no system", "Write --to campaign or --to dynamics.")
    count = await approve_opt_ins(session.context, _mapping(session), side)
    if out.as_json:
        out.json({"to": side, "approved": count})
        return OK
    if not count:
        out.line(f"No opt-in towards {SYSTEM[side]} waits.")
        return OK
    out.line(f"Opt-ins of {counted(count, 'contact')} approved.")
    out.line(QUEUED)
    return OK
