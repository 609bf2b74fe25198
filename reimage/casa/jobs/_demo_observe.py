"""Observe: from a plan of scans to a raw measurement set as an ALMA correlator would write it.

The simulator tool lays out antennas, fields, spectral windows, scans with their intents, times and
uvw; the visibilities are ours (`_demo_sky`), as correlation coefficients: flux / SEFD, with antenna
gains, bandpasses and thermal noise.  So the noise in DATA is 1/sqrt(2 bandwidth time), the weights
that importasdm gives are right, and after calibration predicted sensitivities are true ones.
"""

import shutil

import numpy as np

import _demo_sky as sky
import _demo_tables
from casatools import ctsys, measures, quanta, simulator, table
from casatasks.private import simutil

SIDEREAL = 0.9972695663


def raw_ms(eb, plan, ms):
    """Make the raw MS of one execution block; returns what was observed, for the truth."""
    start = _start(plan)
    scans = _lay_out(plan, ms, start)
    _demo_tables.repair(ms, scans)
    names = [field["name"] for field in plan["fields"]]
    _demo_tables.rename_fields(ms, names)
    fields = [_at_topocentre(field, plan, start) for field in plan["fields"]]
    _fill(plan, ms, fields)
    _demo_tables.azimuth_pointing(ms, [field["direction"] for field in plan["fields"]])
    tb = table()
    tb.open(ms + "/OBSERVATION")
    first, last = tb.getcell("TIME_RANGE", 0) / 86400
    tb.close()
    return {
        "eb": eb,
        "start_utc": start,
        "mjd": [first, last],
        "scans": len(scans),
        "fields": fields,
        "spws": _spw_truth(plan, start),
    }


# --- time and frame


def _frame(tool, utc):
    tool.doframe(tool.observatory("ALMA"))
    tool.doframe(tool.epoch("UTC", utc))


def _start(plan):
    """UTC at which the first target reaches the planned hour angle on the planned date."""
    me, qa = measures(), quanta()
    target = [field for field in plan["fields"] if field["role"] == "target"][0]
    _frame(me, plan["date"] + "/00:00:00")
    ra, dec = target["direction"]
    here = me.measure(me.direction("ICRS", "%.12frad" % ra, "%.12frad" % dec), "HADEC")
    now = here["m0"]["value"] * 12 / np.pi
    wait = ((plan["start_hour_angle"] - now) % 24) * SIDEREAL
    days = qa.convert(qa.quantity(plan["date"]), "d")["value"] + wait / 24
    return qa.time(qa.quantity(round(days * 86400), "s"), form="ymd")[0]


def _topocentric(frequency, direction, start):
    """LSRK frequency (Hz) of a direction to TOPO at a time."""
    me = measures()
    _frame(me, start)
    ra, dec = direction
    me.doframe(me.direction("ICRS", "%.12frad" % ra, "%.12frad" % dec))
    return me.measure(me.frequency("LSRK", "%.3fHz" % frequency), "TOPO")["m0"]["value"]


def _at_topocentre(field, plan, start):
    """The field with its lines' centres, stated in LSRK, brought to the observatory's frame."""
    components = []
    for component in field["components"]:
        component = dict(component)
        if component.get("line"):
            line = dict(component["line"])
            line["lsrk_hz"] = line.pop("centre_hz")
            line["centre_hz"] = _topocentric(line["lsrk_hz"], component["direction"], start)
            component["line"] = line
        components.append(component)
    return dict(field, components=components)


def channel_frequencies(spw):
    n = spw["channels"]
    return spw["centre_hz"] + spw["width_hz"] * (np.arange(n) - (n - 1) / 2)


def _spw_truth(plan, start):
    """Both frames' channel frequencies: the ends are enough, channels are evenly spaced."""
    target = [field for field in plan["fields"] if field["role"] == "target"][0]
    told = []
    for spw in plan["spws"]:
        topo = channel_frequencies(spw)
        ratio = 1e11 / _topocentric(1e11, target["direction"], start)
        told.append(
            {
                "name": spw["name"],
                "channels": spw["channels"],
                "width_topo_hz": spw["width_hz"],
                "first_topo_hz": topo[0],
                "last_topo_hz": topo[-1],
                "first_lsrk_hz": topo[0] * ratio,
                "last_lsrk_hz": topo[-1] * ratio,
            }
        )
    return told


# --- the simulator


def _lay_out(plan, ms, start):
    """Empty MS with everything but visibilities; returns (begin, end) of each scan in s."""
    shutil.rmtree(ms, ignore_errors=True)
    sm = simulator()
    sm.open(ms)
    _set_up(sm, plan, start)
    t, scans = 0.0, []
    for field, integrations in plan["sequence"]:
        end = t + integrations * plan["integration_s"]
        for spw in plan["spws"]:
            sm.observe(
                sourcename="F%d" % field,
                spwname=spw["name"],
                starttime="%gs" % t,
                stoptime="%gs" % end,
                state_obs_mode=plan["fields"][field]["intents"],
                state_cal=0.0,
                observer="reimage",
                project=plan["project"],
            )
        scans.append((t, end))
        t = end + plan["gap_s"]
    sm.done()
    return scans


def _set_up(sm, plan, start):
    """Antennas, spectral windows, fields and clock."""
    me = measures()
    _set_antennas(sm, plan, me.observatory("ALMA"))
    _set_spws(sm, plan)
    sm.setfeed(mode="perfect X Y", pol=[""])
    sm.setlimits(shadowlimit=0.001, elevationlimit="15deg")
    sm.setauto(autocorrwt=0.0)
    # Unique names, for now: the pointings of a mosaic share theirs.
    for k, field in enumerate(plan["fields"]):
        ra, dec = field["direction"]
        sm.setfield(
            sourcename="F%d" % k,
            calcode="none",
            distance="0m",
            sourcedirection=me.direction("ICRS", "%.12frad" % ra, "%.12frad" % dec),
        )
    sm.settimes(
        integrationtime="%gs" % plan["integration_s"],
        usehourangle=False,
        referencetime=me.epoch("UTC", start),
    )


def _set_antennas(sm, plan, observatory):
    """Dishes on the pads of the plan."""
    x, y, z, diameter, pad, _, _, _ = simutil.simutil().readantenna(
        ctsys.resolve("alma/simmos/" + plan["configuration"])
    )
    chosen = [list(pad).index(name) for name in plan["pads"]]
    sm.setconfig(
        telescopename="ALMA",
        x=[x[i] for i in chosen],
        y=[y[i] for i in chosen],
        z=[z[i] for i in chosen],
        dishdiameter=[diameter[i] for i in chosen],
        mount="alt-az",
        antname=plan["antennas"],
        padname=plan["pads"],
        coordsystem="global",
        referencelocation=observatory,
    )


def _set_spws(sm, plan):
    """Spectral windows, in their order."""
    for spw in plan["spws"]:
        sm.setspwindow(
            spwname=spw["name"],
            freq="%.9fGHz" % (channel_frequencies(spw)[0] / 1e9),
            deltafreq="%.9fGHz" % (spw["width_hz"] / 1e9),
            freqresolution="%.9fGHz" % (spw["width_hz"] / 1e9),
            nchannels=spw["channels"],
            stokes="XX YY",
            refcode="TOPO",
        )


# --- visibilities


def _fill(plan, ms, fields):
    """Write DATA: gains and bandpasses upon the true visibilities over SEFD, and noise of 1/sqrt(2BT)."""
    rng = np.random.default_rng(plan["seed"])
    tb = table()
    tb.open(ms)
    n_scans = int(tb.getcol("SCAN_NUMBER").max())
    tb.close()
    n_antennas = len(plan["antennas"])
    amplitude = rng.normal(1, 0.1, (2, n_antennas)).clip(0.7, 1.3)
    phase = rng.uniform(-np.pi, np.pi, (2, n_antennas))
    drift = np.cumsum(rng.normal(0, 0.04, (n_scans + 1, n_antennas)), axis=0)
    gain = amplitude * np.exp(1j * (phase + drift[:, None, :]))  # (scan, polarisation, antenna)
    tb.open(ms, nomodify=False)
    for dd, spw in enumerate(plan["spws"]):
        frequency = channel_frequencies(spw)
        bandpass = _bandpasses(rng, n_antennas, spw["channels"])
        sigma = 1 / np.sqrt(2 * spw["width_hz"] * plan["integration_s"])
        for k, field in enumerate(fields):
            rows = tb.query("DATA_DESC_ID==%d && FIELD_ID==%d" % (dd, k))
            if rows.nrows() == 0:
                rows.close()
                continue
            one, two, scan = (rows.getcol(c) for c in ("ANTENNA1", "ANTENNA2", "SCAN_NUMBER"))
            true = sky.visibilities(
                field["components"], frequency, rows.getcol("UVW"), field["direction"]
            )
            response = (gain[scan, :, one] * gain[scan, :, two].conj()).T[:, None, :] * (
                bandpass[:, one, :] * bandpass[:, two, :].conj()
            ).transpose(0, 2, 1)
            data = response * true[None] / plan["sefd_jy"]
            noise = rng.normal(0, sigma, data.shape + (2,))
            rows.putcol("DATA", data + noise[..., 0] + 1j * noise[..., 1])
            rows.close()
    tb.close()


def _bandpasses(rng, n_antennas, channels):
    """Smooth shape and delay-like slope per polarisation and antenna."""
    x = np.linspace(-1, 1, channels)
    shape = (2, n_antennas, 1)
    return (1 + 0.06 * rng.normal(size=shape) * x**2 + 0.04 * rng.normal(size=shape) * x) * np.exp(
        0.6j * rng.normal(size=shape) * x
    )
