"""`python -m sync`: the command line of admins and operators."""

from __future__ import annotations

import sys


def _main() -> None:
    try:
        from sync.cli.program import main
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        print(
            "The command line needs the packages typer and rich: pip install typer rich, or run scripts/setup "
            "and use .venv/bin/python.",
            file=sys.stderr,
        )
        sys.exit(2)
    main()


if __name__ == "__main__":
    _main()
