"""The page on the library: every example on it runs, and it names every public name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import atlas_conformance

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "library.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python( pytest)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_has_examples_of_both_sorts() -> None:
    assert len(BLOCKS) >= 8
    assert sum(bool(kind) for kind, _ in BLOCKS) >= 1
    assert PAGE.count("```python") == len(BLOCKS)


@pytest.mark.parametrize(("kind", "block"), BLOCKS, ids=[f"example-{n}" for n in range(1, len(BLOCKS) + 1)])
def test_each_example_runs(kind: str, block: str, tmp_path: Path) -> None:
    script = tmp_path / "test_example.py"
    script.write_text(block, encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MONGODB_"))}
    environ |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, str(script)]
    if kind:
        plugin = "atlas_conformance.pytest_plugin"
        command = [sys.executable, "-m", "pytest", "-q", "-p", plugin, "-p", "no:cacheprovider", str(script)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(atlas_conformance.__all__) == atlas_conformance.__all__
    for name in atlas_conformance.__all__:
        found = getattr(atlas_conformance, name)
        assert found.__doc__, name
        assert name in dir(atlas_conformance)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = atlas_conformance.nothing  # type: ignore[attr-defined]
