"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="Take the `Values` of this local.settings.json; variables of the environment win over them.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
MappingName = Annotated[str, typer.Option("--mapping", metavar="NAME", help="The mapping.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the function app has worked it.")]
Exact = Annotated[
    bool, typer.Option("--exact", help="Count the ledger instead of trusting counters (reads every row).")
]
