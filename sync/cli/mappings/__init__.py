"""`mappings`: configuration as code. Versions, checks against both systems, changes, and what they would do."""

from __future__ import annotations

import typer

from sync.cli.mappings import change, check, preview, switch, versions

app = typer.Typer(help="Mappings and their versions.", no_args_is_help=True, rich_markup_mode=None)
app.command("list")(versions.list_)
for verb in (
    versions.show,
    check.validate,
    preview.plan,
    change.apply,
    versions.history,
    change.rollback,
    switch.disable,
    switch.enable,
    versions.export,
):
    app.command()(verb)
