"""YAML text → plain values, and the line of each: what a mapping file may use of YAML, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

Place = tuple[object, ...]
"""Keys and list positions from the top."""


class NotYaml(Exception):
    """The text cannot be read at all."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(what)


@dataclass
class Lines:
    """Where each key and list item stands (lines count from 1), and keys written twice."""

    by_place: dict[Place, int] = field(default_factory=dict)
    repeated: list[Place] = field(default_factory=list)

    def of(self, place: Place) -> int:
        """The line of a place, or of the closest thing around it that the text has."""
        while place and place not in self.by_place:
            place = place[:-1]
        return self.by_place.get(place, 1)


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a mapping is read by people, and one alias inside another can fill the memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (`*name`) are not supported", problem_mark=mark)
        return super().compose_node(parent, index)


def read(text: str) -> tuple[Any, Lines]:
    """The values of one YAML document and their lines; raises NotYaml."""
    lines = Lines()
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return (None if node is None else _value(loader, node, (), lines)), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(mark.line + 1 if mark else 1, error.problem or "it cannot be read") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position if isinstance(error.position, int) else 0) + 1
        raise NotYaml(line, "it holds a character that YAML does not allow") from None
    except RecursionError:
        raise NotYaml(1, "it is nested too deeply") from None


def _value(loader: _Loader, node: yaml.Node, place: Place, lines: Lines) -> Any:
    lines.by_place.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, place, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*place, index), lines) for index, item in enumerate(node.value)]
    return _scalar(loader, node)


def _mapping(loader: _Loader, node: yaml.MappingNode, place: Place, lines: Lines) -> dict[Any, Any]:
    values: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be one word", problem_mark=key_node.start_mark)
        key = _scalar(loader, key_node)
        lines.by_place[(*place, key)] = key_node.start_mark.line + 1
        if key in values:
            lines.repeated.append((*place, key))
        values[key] = _value(loader, value_node, (*place, key), lines)
    return values


def _scalar(loader: _Loader, node: yaml.Node) -> Any:
    try:
        return loader.construct_object(node)
    except (ValueError, ArithmeticError, KeyError):
        # Looks like a date or a number and is none, e.g. 2024-13-45.
        mark = node.start_mark
        raise yaml.MarkedYAMLError(problem="a value cannot be read", problem_mark=mark) from None
