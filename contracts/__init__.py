"""The contract as data, and the judge: pure functions from exchanges to findings."""

CONTRACT_REVISION = 2
"""The revision of the contract; `CHANGES.md` says what each one changed."""

CONTRACT_VERSION = f"2026-08, revision {CONTRACT_REVISION}"
"""The month of the vendor's description that the contract was last read against, and the revision of the contract."""


def revision_of(version: str) -> int | None:
    """Return the revision that a version such as a journal's header names; None where it names none that can be read.

    Before the second revision a version was a month alone.
    """
    month, named, revision = version.partition(", revision ")
    if named:
        return int(revision) if revision.isascii() and revision.isdigit() else None
    return 1 if len(month) == 7 and month[:4].isdigit() and month[4] == "-" and month[5:].isdigit() else None
