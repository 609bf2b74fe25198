"""What is an address of a web server, and what only looks like one."""

from __future__ import annotations

import pytest

from reimage.address import is_web_address


@pytest.mark.parametrize(
    "text",
    [
        "https://almascience.eso.org",
        "HTTP://h",
        "http://127.0.0.1:8470/tap?a=b",
        "http://[::1]:80/x",
    ],
)
def test_addresses(text):
    assert is_web_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "h", "/a/folder", "http://", "http://:80", "file:///etc/passwd", "ftp://h/x"),
        *(
            "http://[h",
            "http://h:abc",
            "http://h:99999",
            "http://h:0",
            "http://h/a b",
            "http://h/\n",
        ),
    ],
)
def test_no_addresses(text):
    assert not is_web_address(text)
