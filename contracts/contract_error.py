"""The error of a contract's data."""

from __future__ import annotations


class ContractError(ValueError):
    """The data of a contract is wrong.

    The message is one sentence: which file, where in it, what is wrong, and what would be right.
    """
