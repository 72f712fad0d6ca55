"""What customizing leaves behind besides tables: alternate keys being built, role privileges, what is unpublished."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.dynamics.options import DynamicsOptions


@dataclass(slots=True)
class AlternateKey:
    """A key that was created over the API; its index is built in the background (dataverse.md 2.2)."""

    id: str
    schema: str
    columns: tuple[str, ...]
    made: float
    failed: bool = False

    def status(self, now: float, options: DynamicsOptions) -> str:
        """EntityKeyIndexStatus."""
        if self.failed:
            return "Failed"
        age = now - self.made - options.key_pending_s
        return "Pending" if age < 0 else "InProgress" if age < options.key_building_s else "Active"


@dataclass(slots=True)
class Catalogue:
    """What customizing leaves behind besides tables: keys being built, role privileges, what is not published."""

    keys: dict[str, list[AlternateKey]] = field(default_factory=dict)
    roles: dict[str, dict[str, str]] = field(default_factory=dict)
    """Role id -> privilege name -> depth."""
    unpublished: set[str] = field(default_factory=set)
    busy_until: float = 0.0
    """Another customization runs until then."""
    next_code: int = 10_000
    """Object type code of the next custom table."""
