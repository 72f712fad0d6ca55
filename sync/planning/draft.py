"""A mapping text as far as it could be read, and everything that was found wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from sync.planning.advice import Problem, advise
from sync.planning.yaml_lines import Lines, Place

_ALTERNATIVES = ("bool", "int", "float", "str")


@dataclass
class Draft:
    """The plain values, their lines, and the problems so far."""

    content: dict[Any, Any]
    lines: Lines
    problems: list[Problem]

    def add(self, place: Place, what: str, fix: str) -> None:
        self.problems.append(Problem(self.lines.of(place), _name(place, self.content), what, fix))

    def check(self, model: type[BaseModel], value: object, place: Place) -> Any:
        """The value as `model`, or None with the problems noted."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            alternatives: set[Place] = set()
            for one in error.errors(include_url=False, include_context=True):
                told, kind = one["loc"], one["type"]
                if len(told) > 1 and told[-1] in _ALTERNATIVES:
                    # One value of several types: it is told once, by its key.
                    told, kind = told[:-1], "alternative"
                    if told in alternatives:
                        continue
                    alternatives.add(told)
                if "[key]" in told:
                    told, kind = told[:2], "option"
                what, fix = advise(kind, one.get("ctx", {}), one.get("input"), told, model)
                self.add((*place, *told), what, fix)
            return None


def _name(place: Place, content: dict[Any, Any]) -> str:
    """A place in words: `options.on_missing`, or `fields 3 (fax → phone), length`."""
    if len(place) < 2 or place[0] != "fields" or not isinstance(place[1], int):
        return ".".join(str(part) for part in place) or "the file"
    item = content["fields"][place[1]]
    told = f"fields {place[1] + 1}"
    if isinstance(item, dict):
        origin = item.get("source", item.get("expression", item.get("constant", "?")))
        told += f" ({origin} → {item.get('target', '?')})"
    rest = ".".join(str(part) for part in place[2:])
    return f"{told}, {rest}" if rest else told
