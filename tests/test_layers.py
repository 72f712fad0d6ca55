"""Imports go only downwards (design 2): read from the source, so that a lazy import counts too."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASE = {"model", "telemetry", "errors", "catalogue", "consent_row"}
TRANSPORT = {"http", "transport", "tokens", "origin"}
ALLOWED: dict[str, set[str]] = {
    "model": set(),
    "telemetry": set(),
    "catalogue": set(),
    "consent_row": set(),
    "errors": {"catalogue"},
    "settings": BASE
    | {"origin", "settings_rules", "settings_campaign", "settings_events", "settings_problems"},
    "settings_campaign": set(),
    "settings_events": set(),
    "settings_problems": BASE,
    "settings_rules": BASE | {"origin", "settings", "settings_problems"},
    "origin": BASE,
    "tokens": BASE | {"origin"},
    "transport": BASE,
    "http": BASE | TRANSPORT,
    "connections": BASE | TRANSPORT | {"settings"},
    "planning": {"model", "errors", "catalogue", "consent_row"},
    "reference": {"settings", "errors", "catalogue", "planning"},
    "dynamics": BASE | TRANSPORT,
    "campaign": BASE | TRANSPORT,
    "storage": BASE,
    "flows": BASE | {"planning", "dynamics", "campaign", "storage", "settings"},
    "app": BASE
    | TRANSPORT
    | {"planning", "dynamics", "campaign", "storage", "settings", "flows", "connections"},
    "shipped": {"planning"},
    "worker": BASE
    | TRANSPORT
    | {"app", "shipped", "campaign", "storage", "settings", "flows", "connections"},
}
IO_FREE = ("datetime.now", "time.time", "random.random", "asyncio.sleep", "time.sleep", "uuid4")


def package_of(path: Path) -> str:
    return path.relative_to(ROOT / "sync").parts[0].removesuffix(".py")


def imports_of(path: Path, top: str) -> set[str]:
    """The packages below `top` that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found.update(name.split(".")[1] for name in names if name.startswith(f"{top}.") and "." in name)
    return found


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", sources("sync"), ids=lambda p: str(p.relative_to(ROOT)))
def test_sync_imports_only_downwards(path: Path) -> None:
    package = package_of(path)
    if package in ("cli", "__main__", "__init__"):
        return
    assert imports_of(path, "sync") - {package} <= ALLOWED[package]


def test_dynamics_and_campaign_never_import_each_other() -> None:
    assert "campaign" not in ALLOWED["dynamics"]
    assert "dynamics" not in ALLOWED["campaign"]


def test_the_app_and_the_look_alikes_never_import_each_other() -> None:
    for path in sources("sync"):
        assert "sandbox" not in path.read_text(encoding="utf-8").replace("sandbox/", ""), path
    for path in sources("sandbox"):
        text = path.read_text(encoding="utf-8")
        assert "from sync" not in text and "import sync" not in text, path


def test_time_and_chance_come_from_outside() -> None:
    for path in sources("sync"):
        if package_of(path) in ("cli", "worker"):
            continue
        text = path.read_text(encoding="utf-8")
        for call in IO_FREE:
            assert call not in text, f"{call} in {path}"
