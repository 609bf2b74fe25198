"""Addresses of web servers."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_web_address(text: str) -> bool:
    """Whether a text is the address of something on a web server, and nothing is hidden in it."""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme.lower() in {"http", "https"} and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False
    return is_one and bool(parts.hostname) and text.isprintable() and " " not in text
