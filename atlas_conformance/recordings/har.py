"""HAR 1.2 files as exchanges, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from atlas_conformance.recordings.bodies import Attached
from atlas_conformance.recordings.entries import Cut, NoRecording, Recorded, Unjudged
from atlas_conformance.recordings.har_entry import NOT_LEGIBLE, recorded
from atlas_conformance.recordings.masking import Masking
from atlas_conformance.recordings.streaming import ByteSource, CutOff, JsonStream, NotJsonText, Unreadable

__all__ = ["har_entries", "learn_from_har", "recorded"]

_BEGIN = object()
_TEXTUAL = ("json", "form", "text", "octet")


def har_entries(
    file: ByteSource, name: str, masking: Masking | None = None, attached: Attached | None = None
) -> Iterator[Recorded | Unjudged | Cut]:
    """Yield what a HAR file holds, in its order; a file that breaks off ends in a Cut.

    Exchanges come masked by `masking`, of what it knows already and what it learns from the file up to there. Bodies in
    files beside the HAR come from `attached`. A document that follows the first one is read too.

    Raises NoRecording, one sentence that opens with `name`, where there are no entries in the form of HAR.
    """
    stream = JsonStream(file)
    masking = masking or Masking()
    entries = 0
    began = False
    try:
        for entry in _raw_entries(stream):
            if entry is _BEGIN:
                began = True
            elif isinstance(entry, Unreadable):
                entries += 1
                yield Unjudged(NOT_LEGIBLE, f"which {entry.reason}")
            else:
                entries += 1
                if attached is not None:
                    _attach(entry, attached)
                yield recorded(entry, masking)
    except (CutOff, NotJsonText) as problem:
        if not began:
            reason = "it is cut off" if isinstance(problem, CutOff) else str(problem)
            raise NoRecording(f"{name} is neither a HAR file nor a journal: {reason}") from None
        reason = f"breaks off after {entries:,} {'entry' if entries == 1 else 'entries'}"
        yield Cut(reason if isinstance(problem, CutOff) else f"{reason} ({problem})")
        return
    if not began:
        raise NoRecording(f"{name} is no HAR file: it has no log.entries")


def learn_from_har(file: ByteSource, masking: Masking, attached: Attached | None = None) -> bool:
    """Let `masking` learn the credentials of a whole HAR file, up to where it breaks off; return whether its entries
    belong to several pages.
    """
    pages: set[str] = set()
    with suppress(CutOff, NotJsonText):
        for entry in _raw_entries(JsonStream(file)):
            if attached is not None:
                _attach(entry, attached)
            masking.learn_entry(entry)
            if len(pages) < 2 and isinstance(entry, dict) and isinstance(page := entry.get("pageref"), str) and page:
                pages.add(page)
    return len(pages) > 1


def _raw_entries(stream: JsonStream) -> Iterator[Any]:
    """Yield where the entries begin, then each as it stands in the file; of each document that there is."""
    while True:
        found = False
        for member in stream.members():
            if member != "log" or stream.peek() != "{":
                stream.skip()
                continue
            for inner in stream.members():
                if inner != "entries":
                    stream.skip()
                    continue
                if stream.peek() != "[":
                    stream.skip()
                    continue
                found = True
                yield _BEGIN
                yield from stream.items()
        if not stream.peek():
            return
        if not found:
            raise NotJsonText("it goes on after its end")


def _attach(entry: Any, attached: Attached) -> None:
    """Put the bodies that stand in files of their own into an entry."""
    try:
        for content in (entry["request"].get("postData"), entry["response"].get("content")):
            if content and "_file" in content and isinstance(content["_file"], str) and content.get("text") is None:
                media = content.get("mimeType")
                if not isinstance(media, str) or not media or any(word in media.lower() for word in _TEXTUAL):
                    content["_attached"] = attached(content["_file"])
    except (TypeError, KeyError, AttributeError):
        pass  # told where the entry is read
