"""What a browser calls itself, in words that a person knows it by."""

from __future__ import annotations

# In this order: each pretends to be those after it.
PROGRAMS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


def browser_words(user_agent: str) -> str:
    """Return such as ``Firefox, Windows``; empty when nothing is recognised."""
    found = (next((name for mark, name in known.items() if mark in user_agent), "") for known in (PROGRAMS, SYSTEMS))
    return ", ".join(filter(None, found))
