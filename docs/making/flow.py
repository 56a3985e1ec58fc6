"""Make the picture of how a request becomes a report.

`python docs/making/flow.py` writes docs/pictures/flow.svg.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "flow.svg"
WIDTH, HEIGHT = 980, 270
STYLE = """text { font: 15px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f26 }
text.small { font-size: 12.5px; fill: #4b5563 }
rect { fill: #e6f4f1; stroke: #00796b; stroke-width: 1.5 }
rect.ground { fill: #ffffff; stroke: none } rect.data { fill: #f3f4f6; stroke: #6b7280 }
path { fill: none; stroke: #374151; stroke-width: 1.6; marker-end: url(#head) } path.broken { stroke-dasharray: 5 4 }
marker path { fill: #374151; stroke: none; marker-end: none }"""


@dataclass(frozen=True)
class Box:
    """A box: what stands in it, what it is about in small letters, and the place of its middle."""

    name: str
    about: str
    x: int
    y: int
    kind: str = ""


@dataclass(frozen=True)
class Arrow:
    """An arrow: its way as an SVG path, and the words at a place beside it."""

    way: str
    words: str = ""
    x: int = 0
    y: int = 0
    kind: str = ""


HALF, TALL = 66, 27
BOXES = (
    Box("strategies", "draw requests", 80, 70),
    Box("suites", "the tests", 285, 70),
    Box("client", "sends", 490, 70),
    Box("guard", "allows or withholds", 695, 70),
    Box("endpoint", "under test", 900, 70, "data"),
    Box("contract", "data and rules", 80, 200),
    Box("judge", "applies the rules", 490, 200),
    Box("journal", "exchanges, findings", 695, 200),
    Box("reports", "terminal, HTML, ...", 900, 200),
)
ARROWS = (
    Arrow("M146 70 H217", "request", 181, 60),
    Arrow("M351 70 H422", "request", 386, 60),
    Arrow("M556 70 H627", "request", 591, 60),
    Arrow("M761 70 H832", "allowed", 796, 60),
    Arrow("M900 97 V135 H490 V171", "exchange", 592, 127),
    Arrow("M695 97 V171", "withheld", 725, 159, "broken"),
    Arrow("M80 173 V99", "schemas", 112, 140),
    Arrow("M146 200 H422", "rules", 284, 190),
    Arrow("M556 200 H627", "findings", 591, 190),
    Arrow("M761 200 H832", "all", 796, 190),
)


def drawn() -> str:
    """Return the picture as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>From a request to a report</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
    ]
    for box in BOXES:
        lines += [
            f'<rect class="{box.kind}" x="{box.x - HALF}" y="{box.y - TALL}" width="{2 * HALF}" height="{2 * TALL}" '
            'rx="6"/>',
            f'<text x="{box.x}" y="{box.y - 3}" text-anchor="middle">{box.name}</text>',
            f'<text class="small" x="{box.x}" y="{box.y + 15}" text-anchor="middle">{box.about}</text>',
        ]
    for arrow in ARROWS:
        lines.append(f'<path class="{arrow.kind}" d="{arrow.way}"/>')
        if arrow.words:
            lines.append(f'<text class="small" x="{arrow.x}" y="{arrow.y}" text-anchor="middle">{arrow.words}</text>')
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
