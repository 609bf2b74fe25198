"""XML of deliveries: other people's, so without entity tricks (defusedxml), and perhaps cut off."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree


def read_root(path: Path) -> Element | None:
    """Return a document's root element, None where it is absent, not XML, or plays entity tricks."""
    try:
        root: Element | None = ElementTree.parse(path).getroot()
    except (OSError, ParseError, DefusedXmlException):
        return None
    return root


def attribute(path: Path, element: str, name: str) -> str | None:
    """Return an attribute of the first element at an ElementTree path, None where absent."""
    root = read_root(path)
    found = root.find(element) if root is not None else None
    return found.get(name) if found is not None else None
