"""`rebaseline`: begin anew in the environment that the settings name."""

from __future__ import annotations

from functools import partial

import typer

from sync.campaign.records import Action
from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, MappingName, SettingsFile, Yes
from sync.cli.output import Output, duration
from sync.cli.session import Session
from sync.cli.work import QUEUED, confirm, cost_of
from sync.errors import SyncError
from sync.flows.rebaseline import Baseline, look
from sync.flows.rebaseline import rebaseline as begin


def rebaseline(
    context: typer.Context,
    mapping: MappingName = "contacts",
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Begin anew in another environment.

    Reads everything in the environment of the settings and trusts nothing that was sent before. For a copied, restored
    or exchanged Dynamics or Campaign environment (code `environment_changed`). Prints what it costs and asks first.
    Profiles that are there already are updated, never doubled.

    Example:

      python -m sync rebaseline --settings local.settings.json
    """
    run(context, partial(_rebaseline, mapping=mapping, yes=yes), settings=settings, as_json=as_json)


async def _rebaseline(session: Session, out: Output, *, mapping: str, yes: bool) -> int:
    context = session.context
    baseline = await look(context, mapping)
    _show(baseline, out)
    per_record = await _calls(session, mapping)
    cost = cost_of(context, baseline.records, per_record, exact=False)
    if baseline.records:
        out.line(f"Epoch {baseline.epoch + 1} sends {cost}.")
    else:
        out.line("How many records there are is not known yet; `python -m sync doctor` has a forecast.")
    out.line("Nothing is deleted in Campaign. Deletes that wait for approval are forgotten.")
    if not confirm(out, f"Begin epoch {baseline.epoch + 1} of {mapping}?", yes=yes):
        return FAILED
    epoch = await begin(context, baseline)
    fence = session.context.settings.takeover_at(session.context.settings.claim_s)
    out.line(
        f"Epoch {epoch} begins in {duration(fence)}: no call of the epoch before can land any more then."
    )
    out.line("An app that was running before the environment changed notices within a minute.")
    out.line(QUEUED)
    if out.as_json:
        told = {"organization": baseline.organization, "campaign": baseline.campaign}
        out.json({"mapping": mapping, "epoch": epoch, "environment": told, "cost": cost.as_json()})
    return OK


def _show(baseline: Baseline, out: Output) -> None:
    rows = [
        ["Dynamics organization", baseline.organization_before or "–", baseline.organization],
        ["Campaign tenant", baseline.campaign_before or "–", baseline.campaign],
        ["Campaign generation", baseline.dialect_before or "–", baseline.dialect or "–"],
    ]
    out.table(("", "recorded", "settings"), rows)
    if not baseline.changed:
        out.line("The environment is the recorded one: a `replay --all` is usually enough.", style="yellow")


async def _calls(session: Session, mapping: str) -> tuple[int, int]:
    """Least and most calls a record: one that is not there yet costs an update in vain and the POST."""
    try:
        target = await session.context.target(await session.context.active(mapping))
    except SyncError:
        return 1, 2
    insert = target.calls_for(Action.INSERT)
    return insert, 2
