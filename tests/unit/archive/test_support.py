"""``frequency_support``: every form that was seen, and any that was not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import support
from reimage.archive.support import Noise, Window

ONEROW = (  # archive_samples/astroquery_alma-onerow.txt
    "[112.35..114.23GHz,1952.95kHz,8mJy/beam@10km/s,360.2uJy/beam@native, XX YY] U "
    "[113.81..115.79GHz,31247.16kHz,9.9mJy/beam@10km/s,433.6uJy/beam@native, XX YY] U "
    "[114.84..115.31GHz,488.24kHz,8.2mJy/beam@10km/s,739.3uJy/beam@native, XX YY] U "
    "[114.95..115.19GHz,122.06kHz,8.2mJy/beam@10km/s,1mJy/beam@native, XX YY]"
)
LIVE = "[216.90..218.88GHz,31250.00kHz,76.5mJy/beam@10km/s,4.6mJy/beam@native, XX YY]"


def test_a_real_answer_says_what_its_text_says():
    found = support.parse(ONEROW)
    assert found.unread == ()
    assert [(w.low_ghz, w.high_ghz) for w in found.windows] == [
        (112.35, 114.23),
        (113.81, 115.79),
        (114.84, 115.31),
        (114.95, 115.19),
    ]
    assert [w.channel_hz for w in found.windows] == [1952950.0, 31247160.0, 488240.0, 122060.0]
    native = [noise.jy_beam for w in found.windows for noise in w.noise if noise.at == "native"]
    assert native == [360.2e-6, 433.6e-6, 739.3e-6, 1e-3]  # uJy and mJy in one value
    assert [w.noise[0].jy_beam for w in found.windows] == [8e-3, 9.9e-3, 8.2e-3, 8.2e-3]
    assert {w.polarisations for w in found.windows} == {("XX", "YY")}
    (live,) = support.parse(LIVE).windows
    assert (live.channel_hz, live.noise[1]) == (31.25e6, Noise(jy_beam=4.6e-3, at="native"))


@pytest.mark.parametrize(
    ("text", "windows", "unread"),
    [
        ("", [], ()),
        ("[84.1..86GHz]", [Window(low_ghz=84.1, high_ghz=86.0)], ()),
        ("[86..84.1GHz]", [Window(low_ghz=84.1, high_ghz=86.0)], ()),
        (
            "[84000..86000MHz,1MHz,XX YY XY YX]",
            [
                Window(
                    low_ghz=84.0,
                    high_ghz=86.0,
                    channel_hz=1e6,
                    polarisations=("XX", "YY", "XY", "YX"),
                )
            ],
            (),
        ),
        (
            "[84..86GHz,novelty 3,XX]",
            [Window(low_ghz=84.0, high_ghz=86.0, polarisations=("XX",), other=("novelty 3",))],
            (),
        ),
        ("[no edges] U [1..2GHz]", [Window(low_ghz=1.0, high_ghz=2.0)], ("[no edges]",)),
        ("nonsense", [], ("nonsense",)),
        ("[1..2GHz] U cut sho", [Window(low_ghz=1.0, high_ghz=2.0)], ("cut sho",)),
    ],
)
def test_forms(text, windows, unread):
    assert support.parse(text) == support.Support(windows=tuple(windows), unread=unread)


def spell(windows):
    """Return windows as the archive writes them."""
    return " U ".join(f"[{','.join(_parts(window))}]" for window in windows)


def _parts(window):
    yield f"{_digits(window.low_ghz)}..{_digits(window.high_ghz)}GHz"
    if window.channel_hz is not None:
        yield f"{_digits(window.channel_hz, -3)}kHz"
    for noise in window.noise:
        shift, unit = (6, "u") if noise.jy_beam < 1e-3 else (3, "m")
        yield f"{_digits(noise.jy_beam, shift)}{unit}Jy/beam@{noise.at}"
    if window.polarisations:
        yield " " + " ".join(window.polarisations)
    yield from window.other


def _digits(value, shift=0):
    return f"{Decimal(repr(value)).scaleb(shift):f}"


NUMBERS = st.decimals("0.01", "999999", places=2).map(float)
NOISES = st.builds(
    Noise,
    jy_beam=st.decimals("0.0000001", "10", places=7).map(float),
    at=st.sampled_from(["10km/s", "native"]),
)
WINDOWS = st.builds(
    lambda low, width, channel, noise, polarisations: Window(
        low_ghz=low,
        high_ghz=low + width,
        channel_hz=channel,
        noise=tuple(noise),
        polarisations=polarisations,
    ),
    NUMBERS,
    NUMBERS,
    st.none() | NUMBERS,
    st.lists(NOISES, max_size=3),
    st.sampled_from([(), ("XX",), ("XX", "YY"), ("XX", "YY", "XY", "YX")]),
)


@given(st.lists(WINDOWS, max_size=6))
def test_what_is_spelt_is_read_again(windows):
    assert support.parse(spell(windows)) == support.Support(windows=tuple(windows))


@given(st.text(alphabet="[]UXY .,@/kmGHzJyuben0123456789", max_size=80))
def test_any_text_is_read_without_losing_a_bracket(text):
    found = support.parse(text)
    assert support.parse(spell(found.windows)).windows == found.windows
