"""The mappings that come with the code."""

from __future__ import annotations

from pathlib import Path

from sync.planning.consent_map import ConsentMap
from sync.planning.load_consent import load_consent

CONSENT = "consent"
ROOT = Path(__file__).parent.parent


def events_text(folder: Path) -> str:
    """How events show in Dynamics, as it comes with the code."""
    path = folder / "events.yaml"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def shipped_mappings(folder: Path) -> dict[str, str]:
    """The mapping texts that come with the code, by name."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    texts.pop("events", None)  # no mapping: sync/planning/activities.py
    texts.pop(CONSENT, None)
    return texts


def shipped_consent(folder: Path) -> ConsentMap | None:
    """The consent map that comes with the code, if there is one; raises MappingInvalid."""
    path = folder / f"{CONSENT}.yaml"
    return load_consent(path.read_text(encoding="utf-8"), filename=path.name) if path.exists() else None
