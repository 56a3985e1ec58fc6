"""Pages in headless Chromium: what they become, and what axe-core says of them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = "no Chromium is installed"


def axe_script() -> str | None:
    """Return axe-core's script, or None where it is not installed."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or not found.submodule_search_locations:
        return None
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text("utf-8")


def browse(page: Path, *options: str, fragment: str = "") -> tuple[str, str]:
    """Return the page's document after it ran in headless Chromium, and what Chromium logged."""
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={page.parent / 'browser'}",
        *options,
        page.as_uri() + fragment,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, log = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return out.decode("utf-8", "replace"), log.decode("utf-8", "replace")


def violations(text: str, folder: Path, *options: str) -> list[dict[str, Any]]:
    """Return what axe-core finds wrong with a page: the rule, and the elements."""
    axe = axe_script()
    assert axe is not None
    driver = """
      for (const details of document.querySelectorAll("details")) details.open = true;
      axe.run(document, {resultTypes: ["violations"]}).then((found) => {
        const told = found.violations.map((v) => ({rule: v.id, help: v.help, nodes: v.nodes.map((n) => n.html)}));
        const shown = document.createElement("pre");
        shown.id = "axe-result";
        shown.textContent = JSON.stringify({told, rules: found.passes.length});
        document.body.append(shown);
      });
    """
    # The page's own policy lets no other script run, which is what it is for.
    bare = re.sub("<meta http-equiv[^>]*>", "", text)
    page = folder / "axe.html"
    library = axe.replace("</script", "<\\/script")
    scripts = f"<script>{library}</script><script>{driver}</script></body>"
    page.write_text(bare.replace("</body>", scripts), encoding="utf-8")
    document, _ = browse(page, "--dump-dom", "--virtual-time-budget=20000", *options)
    result = re.search(r'<pre id="axe-result">(.*?)</pre>', document, re.DOTALL)
    assert result is not None, "axe-core came to no result"
    told = json.loads(unescape(result[1]))
    assert told["rules"] > 10
    found: list[dict[str, Any]] = told["told"]
    return found
