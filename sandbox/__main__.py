"""`python -m sandbox NAME`: starts one local stand-in."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "azurite": ("sandbox.azurite", "Azure Storage (queues, tables, blobs)"),
    "campaign": ("sandbox.campaign.cli", "look-alike of the Adobe Campaign REST API"),
    "dynamics": ("sandbox.dynamics.cli", "look-alike of the Dataverse Web API"),
    "host": ("sandbox.host.cli", "stand-in for the Azure Functions host, with the function app inside"),
}


def main(argv: list[str]) -> int:
    if argv and argv[0] in COMMANDS:
        command = importlib.import_module(COMMANDS[argv[0]][0])
        return int(command.main(argv[1:]) or 0)
    lines = [f"  {name:10}{text}" for name, (_, text) in COMMANDS.items()]
    text = "\n".join(["usage: python -m sandbox NAME [--help] ...", "", *lines])
    if argv in (["--help"], ["-h"]):
        print(text)
        return 0
    print(text, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
