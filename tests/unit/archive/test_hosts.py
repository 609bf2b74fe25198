from __future__ import annotations

import pytest

from reimage.archive.faults import ArchiveRedirects
from reimage.archive.hosts import Hosts, origin
from reimage.credentials import Secrets

HOME, MIRROR = "https://almascience.eso.org", "https://almascience.nrao.edu/"
PAGE = f"{HOME}/dataPortal/a.tar?x=1"
TOKEN = Secrets(token="t0ken")


@pytest.mark.parametrize(
    ("url", "is_at"),
    [
        ("HTTPS://Host.Org:443/a", "https://host.org"),
        ("http://host.org:80", "http://host.org"),
        ("http://host.org:443", "http://host.org:443"),
        ("http://u:p@host.org:81/a", "http://host.org:81"),
    ],
)
def test_origins_have_one_spelling(url, is_at):
    assert origin(url) == is_at


def test_a_mirror_replaces_the_host_and_nothing_else():
    hosts = Hosts(HOME, [MIRROR, HOME, MIRROR], Secrets())
    assert hosts.sources(PAGE) == (PAGE, "https://almascience.nrao.edu/dataPortal/a.tar?x=1")


def test_what_is_listed_elsewhere_has_no_mirror():
    url = "https://other.org/a.tar"
    assert Hosts(HOME, [MIRROR], Secrets()).sources(url) == (url,)


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        (PAGE, True),
        (f"{MIRROR}a", True),
        ("https://almascience.org/a", True),  # ALMA's other doors
        ("https://almascience.nao.ac.jp/a", True),
        ("http://almascience.eso.org/a", False),  # in the open
        ("https://almascience.eso.org:8443/a", False),
        ("https://almascience.eso.org.evil.net/a", False),
        ("https://evil.net/almascience.eso.org", False),
        ("https://x@evil.net/", False),
        ("https://almascience.eso.org@evil.net/", False),
    ],
)
def test_credentials_go_to_the_archives_own_hosts_only(url, is_told):
    found = Hosts(HOME, [MIRROR], TOKEN).headers(url)
    assert found == ({"Authorization": "Bearer t0ken"} if is_told else {})


def test_a_family_belongs_together_only_where_one_of_it_is_the_archive():
    assert not Hosts("http://127.0.0.1:1", [], TOKEN).headers("https://almascience.org/a")


def test_without_a_home_nobody_is_told():
    assert not Hosts("", [], TOKEN).headers("http://127.0.0.1:1/a")


@pytest.mark.parametrize(
    ("secrets", "header"),
    [
        (Secrets(), None),
        (Secrets(user="u"), None),
        (Secrets(user="u", password="p"), "Basic dTpw"),
        (Secrets(user="u", password="p", token="t"), "Bearer t"),
    ],
)
def test_a_token_is_preferred(secrets, header):
    assert Hosts(HOME, [], secrets).headers(PAGE).get("Authorization") == header


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", f"{HOME}/b"),
        ("https://almascience.nrao.edu/b", "https://almascience.nrao.edu/b"),
        ("?y", f"{HOME}/dataPortal/a.tar?y"),
    ],
)
def test_redirects_within_the_archive(location, target):
    assert Hosts(HOME, [], Secrets()).redirected(PAGE, location) == target


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.net/b",
        "http://almascience.nrao.edu/b",
        "//evil.net/b",
        "ftp://almascience.eso.org/b",
        "file:///etc/passwd",
        "http://almascience.eso.org/dataPortal/a.tar",
    ],
)
def test_redirects_out_of_it(location):
    with pytest.raises(ArchiveRedirects, match="sends us to"):
        Hosts(HOME, ["http://almascience.nrao.edu"], Secrets()).redirected(PAGE, location)


def test_a_file_that_is_listed_elsewhere_may_be_redirected_there():
    hosts = Hosts(HOME, [], TOKEN)
    assert hosts.redirected("https://other.org/a", "/b") == "https://other.org/b"
    assert not hosts.headers("https://other.org/b")
