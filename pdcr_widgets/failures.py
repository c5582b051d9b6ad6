"""What went wrong, as people read it."""

from __future__ import annotations


def in_words(failure: Exception) -> str:
    """Say what went wrong in one line: our own errors as they are, others with their type."""
    words = str(failure).strip()
    if isinstance(failure, (ValueError, TypeError)) and words:
        return words
    return f"{type(failure).__name__}: {words}" if words else type(failure).__name__
