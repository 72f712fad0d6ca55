"""The command line: every verb, in the order `--help` shows them."""

from __future__ import annotations

import sys

import typer

from sync.cli import consent, deletes, events, mappings, setup
from sync.cli.adopt import adopt
from sync.cli.block import block, unblock
from sync.cli.cost import cost
from sync.cli.doctor import doctor
from sync.cli.history import history
from sync.cli.pause import pause, resume
from sync.cli.rebaseline import rebaseline
from sync.cli.reconcile import reconcile
from sync.cli.replay import replay
from sync.cli.retry import retry
from sync.cli.status import status
from sync.cli.trace import trace

app = typer.Typer(
    name="python -m sync",
    help="Dynamics 365 Sales to Adobe Campaign: check, watch and steer the sync.\n\n"
    "Commands that send work put messages into a queue; the function app does the work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (
    doctor,
    status,
    retry,
    replay,
    reconcile,
    adopt,
    pause,
    resume,
    block,
    unblock,
    rebaseline,
    history,
    trace,
    cost,
):
    app.command()(verb)
app.add_typer(deletes.app, name="deletes")
app.add_typer(consent.app, name="consent")
app.add_typer(events.app, name="events")
app.add_typer(mappings.app, name="mappings")
app.add_typer(setup.app, name="setup")


def main() -> None:
    """Run with the process's arguments and exit."""
    try:
        app(prog_name="python -m sync")
    except KeyboardInterrupt:
        sys.exit(130)
