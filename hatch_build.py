"""Build hook: the wheel carries every package of the root folder inside `atlas_conformance`, never beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TOP = "atlas_conformance"


class CarryPackages(BuildHookInterface[Any]):
    """The folders have names too general for site-packages."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the packages to a wheel; an editable installation (`version`) leads to the root folder itself."""
        if version == "editable":
            return
        root = Path(self.root)
        packages = [path.parent for path in root.glob("*/__init__.py") if path.parent.name != TOP]
        for path in (root / "conftest.py", *packages):
            build_data["force_include"][str(path)] = f"{TOP}/{path.name}"
