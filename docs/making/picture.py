"""Make the picture of a terminal report: what the program prints on a run against an endpoint with one fault.

`python docs/making/picture.py` writes docs/pictures/report.svg.
"""

from __future__ import annotations

import html
import io
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from atlas_conformance.reference.mock import MockAtlas

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "pictures" / "report.svg"
FAULT = "cluster-create/automated-targetClusterName-unchecked"
ARGUMENTS = ("run", "--base-url", "http://127.0.0.1:4010", "--profile", "quick", "--seed", "1")
COLUMNS, MOST_LINES = 100, 42
WIDTH_OF_LETTER = 12.2
THEME = TerminalTheme(
    (27, 31, 38),
    (214, 218, 224),
    [
        (27, 31, 38),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (177, 186, 196),
    ],
    [
        (139, 148, 158),
        (255, 161, 152),
        (126, 231, 135),
        (240, 200, 100),
        (165, 214, 255),
        (226, 197, 255),
        (179, 240, 255),
        (255, 255, 255),
    ],
)
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>The end of a run against an endpoint with one fault</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own form of the picture, without the font that it loads from elsewhere."""


def printed(*more: str) -> str:
    """Return what a run prints on a terminal of 100 columns, colours included.

    Args:
        more: Further arguments of the run, such as `--requirement`.
    """
    with MockAtlas(seed=1, fault=FAULT) as atlas:
        url = atlas.url
        arguments = [url if part.startswith("http") else part for part in (*ARGUMENTS, *more)]
        terminal = {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
        environment = {**os.environ, **atlas.environment, **terminal}
        environment.pop("NO_COLOR", None)
        done = subprocess.run(
            [sys.executable, "-m", "atlas_conformance", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=300,
            check=False,
        )
    if done.returncode != 1:
        raise SystemExit(f"The run ended with {done.returncode}, and 1 was due: the endpoint has the fault {FAULT}.")
    return done.stdout.replace(url, ARGUMENTS[2])


def drawn(text: str, arguments: Sequence[str] = ARGUMENTS) -> str:
    """Return the picture of what was printed: below the command, the last lines as far as they fit.

    Args:
        text: What the program printed, colours included.
        arguments: The arguments that it was given.
    """
    lines = [line for line in text.rstrip().splitlines() if "\x07" not in line]
    if len(lines) > MOST_LINES:
        lines = ["…", *lines[-MOST_LINES:]]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ atlas-conformance {' '.join(arguments)}", "bold"), soft_wrap=True)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis", crop=True)
    return console.export_svg(title="atlas-conformance", theme=THEME, code_format=SVG, unique_id="report")


def words(picture: str) -> list[str]:
    """Return the lines of a picture below its title, as text."""
    rows: dict[float, str] = {}
    form = r'<text class="(\S+)"[^>]* x="([0-9.]+)" y="([0-9.]+)"[^>]*>([^<]*)</text>'
    for kind, x, y, content in re.findall(form, picture):
        if not kind.endswith("-title"):
            before = rows.get(float(y), "").ljust(round(float(x) / WIDTH_OF_LETTER))
            rows[float(y)] = before + html.unescape(content).replace("\N{NO-BREAK SPACE}", " ")
    return [row.rstrip() for _, row in sorted(rows.items())]


if __name__ == "__main__":
    PICTURE.write_text(drawn(printed()), encoding="utf-8")
