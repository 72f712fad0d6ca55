"""`setup dynamics`: publisher, solution, activity tables, columns and security role, as `mappings/events.yaml` says."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, SettingsFile, Yes
from sync.cli.output import Output, counted
from sync.cli.session import Session, UsageProblem
from sync.cli.work import confirm
from sync.dynamics.metadata import Metadata
from sync.dynamics.provisioning import Provisioning
from sync.flows.setup import Plan, Setup
from sync.planning.activities import Events
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.load_events import load_events
from sync.planning.provision import Desired, Step, desired
from sync.shipped import ROOT
from sync.storage.table import StorageFault

FILE = "events.yaml"
BY_HAND = (
    "Two steps are left to a person; docs/dynamics-setup.md has the clicks: give the application user the role "
    "{role}, and enable the activities in the timeline of the contact form."
)

app = typer.Typer(no_args_is_help=True, help="Prepare an environment.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Prepare an environment."""


@app.command()
def dynamics(
    context: typer.Context,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be done, and do nothing.")] = False,
    consent: Annotated[
        bool,
        typer.Option(
            "--consent", help="The role may also write contacts, for consent that goes to Dynamics."
        ),
    ] = False,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="Instead of `events.yaml` in the mappings' folder."),
    ] = None,
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Create in Dynamics what email events need.

    Publisher, solution, activity tables, columns and the least-privilege security role, as `mappings/events.yaml` says.
    Shows what is missing and asks; what is there already is left alone. Can be run again after any failure. Needs a user
    with the roles System Customizer and, to create a role, System Administrator; docs/dynamics-setup.md.

    Examples:

      python -m sync setup dynamics --plan

      python -m sync setup dynamics --settings setup.settings.json
    """
    work = partial(_dynamics, only_plan=plan, consent=consent, file=events, yes=yes)
    run(context, work, settings=settings, as_json=as_json)


async def _dynamics(
    session: Session, out: Output, *, only_plan: bool, consent: bool, file: Path | None, yes: bool
) -> int:
    want = desired(
        read_events(session, file), read_tables=await mapped_tables(session), write_contacts=consent
    )
    context = session.context
    setup = Setup(Provisioning(context.dynamics), Metadata(context.dynamics), context.clock)
    with out.progress("looking at Dynamics"):
        plan = await setup.plan(want)
    _show(plan, want, out)
    done = 0
    if not (only_plan or plan.obstacles or not plan.steps):
        if not confirm(
            out, f"Carry out {counted(len(plan.steps), 'step')} in {context.settings.dynamics_url}?", yes=yes
        ):
            return FAILED
        done = await _carry_out(setup, want, plan, out)
    if not (only_plan or plan.obstacles):
        out.line(BY_HAND.format(role=want.role))
    if out.as_json:
        out.json(
            {
                "ok": not plan.obstacles,
                "steps": [{"step": step.kind.value, "what": step.text} for step in plan.steps],
                "obstacles": [{"what": one.what, "fix": one.fix} for one in plan.obstacles],
                "done": done,
            }
        )
    return FAILED if plan.obstacles else OK


async def _carry_out(setup: Setup, want: Desired, plan: Plan, out: Output) -> int:
    with out.progress("setting up") as tell:
        begun = 0

        def begin(step: Step) -> None:
            nonlocal begun
            tell(begun, max(len(plan.steps), begun + 1), step.text)
            begun += 1

        done = await setup.carry_out(want, begin)
    out.line(f"{counted(done, 'step')} done; everything is there.", style="green")
    return done


def _show(plan: Plan, want: Desired, out: Output) -> None:
    for step in plan.steps:
        out.line(f"  {step.text}")
    if plan.obstacles:
        out.line("Before anything is done:", style="bold red")
        for one in plan.obstacles:
            out.line(f"  {one.what}")
            out.line(f"    do: {one.fix}")
    elif not plan.steps:
        out.line(
            f"Everything is there: {counted(len(want.tables), 'table')}, role {want.role}.", style="green"
        )


def read_events(session: Session, file: Path | None = None) -> Events:
    """The events file of this installation; raises MappingInvalid, UsageProblem."""
    path = file or ROOT / session.settings.mappings_dir / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(
            f"{path.name} cannot be read ({type(error).__name__})", "Check --events."
        ) from None
    except UnicodeDecodeError:
        raise UsageProblem(f"{path.name} is no UTF-8 text", "Save it as UTF-8.") from None
    return load_events(text, filename=path.name)


async def mapped_tables(session: Session) -> set[str]:
    """Tables that the role must read: those of active mappings, and of shipped ones where none is active."""
    texts = dict(session.context.shipped)
    try:
        for name in await session.context.mappings.names():
            version = await session.context.mappings.active(name)
            if version is not None:
                texts[name] = version.text
    except StorageFault:
        pass  # Set-up may come before the storage account has tables.
    tables: set[str] = set()
    for name, text in texts.items():
        try:
            tables.add(load_mapping(text, filename=f"{name}.yaml").source.table)
        except MappingInvalid:
            continue  # `doctor` says what is wrong with it.
    return tables
