"""Mapping files: one, several, or a folder of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.session import UsageProblem
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.mapping import Mapping

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Mappings as YAML: files, or folders of them."),
]
CONSENT = "consent.yaml"
NO_MAPPINGS = frozenset({"events.yaml", CONSENT})
"""What lies beside mappings in their folder and is none."""


@dataclass(frozen=True)
class MappingFile:
    """A file that holds a mapping."""

    name: str
    """As the person wrote it."""
    text: str
    mapping: Mapping

    def compiled(self, version: str = "") -> CompiledMapping:
        return compile_mapping(self.mapping, version)


def read_text(file: Path) -> str:
    """The text of a file; raises UsageProblem."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageProblem(f"{file} is not UTF-8 text") from None


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files, folders' by name; raises UsageProblem for a folder without any."""
    return list(dict.fromkeys(file for path in paths for file in _of(path)))


def _of(path: Path) -> Iterator[Path]:
    if path.name in NO_MAPPINGS and path.is_file():
        raise UsageProblem(f"{path} is no mapping", "A change of it takes effect with a deployment.")
    if not path.is_dir():
        yield path
        return
    found = sorted(file for file in path.glob("*.yaml") if file.name not in NO_MAPPINGS)
    if not found:
        raise UsageProblem(f"{path} holds no mapping", "A mapping is a file NAME.yaml.")
    yield from found


def consent_files(paths: Iterable[Path]) -> list[Path]:
    """The consent maps among the files and in the folders."""
    found = (path / CONSENT if path.is_dir() else path for path in paths)
    return list(dict.fromkeys(path for path in found if path.name == CONSENT and path.is_file()))
