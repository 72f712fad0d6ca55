"""Packs the function app for `scripts/package`; standard library only.

A list of what goes in, not of what stays out: a file nobody thought of is not deployed. `.funcignore` says the same
for `func` and `azd`.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOT_FILES = ("constraints.txt", "function_app.py", "host.json", "requirements.txt")
"""requirements.txt names constraints.txt, so Azure's build needs both."""
TREES = {"sync": ".py", "mappings": ".yaml"}
"""Folders that go in, with the kind of file that does."""
LEFT_OUT = ("sync/__main__.py", "sync/cli/")
"""The command line runs on workstations; its packages are not installed in Azure."""
MOST_BYTES = 512 * 1024
"""A package above this has something in it that does not belong there."""
OLDEST = (1980, 1, 1, 0, 0, 0)


class TooLarge(Exception):
    """The package is larger than what the app can need."""


def contents(root: Path = ROOT) -> Iterator[Path]:
    """The files of the package, relative to the root, in order."""
    found = [Path(name) for name in ROOT_FILES]
    for tree, kind in TREES.items():
        found += [path.relative_to(root) for path in (root / tree).rglob(f"*{kind}")]
    for path in sorted(found):
        if not path.as_posix().startswith(LEFT_OUT):
            yield path


def pack(output: Path, root: Path = ROOT) -> int:
    """Writes the zip; its size in bytes. Raises TooLarge."""
    with zipfile.ZipFile(output, "w") as archive:
        for path in contents(root):
            # Time and mode are fixed: the same files give the same bytes.
            entry = zipfile.ZipInfo(path.as_posix(), date_time=OLDEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (root / path).read_bytes())
    size = output.stat().st_size
    if size > MOST_BYTES:
        raise TooLarge(f"{output} has {size} bytes, more than {MOST_BYTES}")
    return size


def main(arguments: list[str]) -> int:
    output = Path(arguments[0])
    size = pack(output)
    print(f"{output}: {sum(1 for _ in contents())} files, {size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
