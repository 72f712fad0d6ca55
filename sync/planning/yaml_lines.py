"""YAML text → plain values, and the line of each: what a mapping file may use of YAML, and nothing more.

Plain words are read as editors with the JSON Schema read them (YAML 1.2): `on`, `off`, `yes` and `NO` are texts, and so
are days and times. What begins with a needless 0, such as a postal code, is a text too.
"""

from __future__ import annotations

import re
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


_PLAIN = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
}
"""What a plain word may be besides text, in the order in which it is tried, and the letters it begins with."""


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a mapping is read by people, and one alias inside another can fill the memory."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own: none is inherited

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (`*name`) are not supported", problem_mark=mark)
        return super().compose_node(parent, index)


for _kind, (_pattern, _begins) in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern})\Z"), _begins)


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
        # Tagged as something that it is not, e.g. `!!int x`.
        mark = node.start_mark
        raise yaml.MarkedYAMLError(problem="a value cannot be read", problem_mark=mark) from None
