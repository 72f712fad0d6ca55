"""What is wrong with mapping files, as people and CI read it: file, line, what, fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sync.cli.checks.finding import FILTER
from sync.cli.output import Output, counted
from sync.planning.yaml_lines import Lines, NotYaml, Place, read


@dataclass(frozen=True, slots=True)
class Located:
    """One thing; `level` is `error` or `warning`."""

    file: str
    line: int
    where: str
    what: str
    fix: str
    level: str = "error"
    code: str = "mapping_invalid"

    @property
    def bad(self) -> bool:
        return self.level == "error"

    def __str__(self) -> str:
        kind = "" if self.bad else "warning: "
        return f"{self.file}:{self.line}: {kind}{self.where}: {self.what} {self.fix}".rstrip()


def in_order(problems: Sequence[Located]) -> list[Located]:
    """Each once, by file and line."""
    return sorted(set(problems), key=lambda p: (p.file, p.line, p.where, p.what))


def show(problems: Sequence[Located], out: Output) -> None:
    """A line each; errors in red."""
    for problem in problems:
        out.line(str(problem), style="red" if problem.bad else "yellow")


def summary(problems: Sequence[Located]) -> str:
    """`2 errors, 1 warning`."""
    bad = sum(problem.bad for problem in problems)
    told = [counted(bad, "error")] if bad else []
    return ", ".join(told + ([counted(len(problems) - bad, "warning")] if len(problems) > bad else []))


def as_json(problems: Sequence[Located]) -> list[dict[str, object]]:
    return [asdict(problem) for problem in problems]


def _condition(inner: object, place: Place, column: str) -> Place | None:
    """Where in a filter the condition on a column stands."""
    if isinstance(inner, list):
        found = (_condition(one, (*place, index), column) for index, one in enumerate(inner))
        return next((one for one in found if one), None)
    if not isinstance(inner, Mapping):
        return None
    if inner.get("column") == column:
        return (*place, "column")
    return next(
        (one for key, part in inner.items() if (one := _condition(part, (*place, key), column))), None
    )


class Finder:
    """Finds the line of a place, or of a column or field by its name, in one file."""

    def __init__(self, text: str) -> None:
        try:
            self._content, self._lines = read(text)
        except NotYaml:
            self._content, self._lines = None, Lines()

    def place(self, place: Place) -> int:
        return self._lines.of(place)

    def named(self, name: str, within: str = "") -> int:
        """The line of the field that reads or writes `name`; of the target if it is its key; else the first.

        `within`: of the field with this target, or of the FILTER's condition on that column.
        """
        content = self._content if isinstance(self._content, Mapping) else {}
        if within == FILTER:
            options = content.get("options")
            parts: list[Place] = [("filter",)]
            parts += [("options", "first_load")] if isinstance(options, Mapping) else []
            for place in parts:
                inner = options.get("first_load") if len(place) > 1 and options else content.get("filter")
                if found := _condition(inner, place, name):
                    return self._lines.of(found)
        fields = content.get("fields")
        for index, item in enumerate(fields if isinstance(fields, list) else []):
            if not isinstance(item, Mapping) or (within and item.get("target") != within):
                continue
            for key, value in item.items():
                if value == name or (isinstance(value, list | Mapping) and name in value):
                    return self._lines.of(("fields", index, key))
            if within:
                return self._lines.of(("fields", index))
        for part in ("target", "source"):
            inner = content.get(part)
            for key, value in inner.items() if isinstance(inner, Mapping) else ():
                if value == name:
                    return self._lines.of((part, key))
        return self._lines.of(("fields",))
