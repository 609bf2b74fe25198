"""calapply.txt and casa_piperestorescript.py, read as hifa_restoredata reads them."""

from __future__ import annotations

import pytest

from reimage.casa.jobs import _calapply as calapply

EXPORTED = """\
# Apply file for uid___A002_X1_X2.ms
applycal(vis='uid___A002_X1_X2.ms', field='J0839-2030', intent='BANDPASS,AMPLITUDE', spw='0~1', \
antenna='0~5', gaintable=['/lustre/a-1/x.bcal.tbl', 'x.gpcal.tbl'], gainfield=['J0839-2030', ''], \
spwmap=[[], [0, 0]], interp=['nearest,nearest', 'linear,linear'], calwt=[True, False])
applycal(vis='uid___A002_X1_X2.ms', field='Sim', intent='TARGET,PHASE,WVR', spw='0~1', antenna='0~5', \
gaintable='x.bcal.tbl', gainfield='', spwmap=[0, 0], interp='nearest,nearest', calwt=True)"""
"""As pipeline 2025.1.0 writes them (paths as older ones); a single table stands without a list."""

DELIVERED = """\
h_init()
try:
    hifa_restoredata (vis=['uid___A002_X1_X2'], session=['session_1'], ocorr_mode='ca')
finally:
    h_save()
"""

BANDPASS, PHASE = (
    "CALIBRATE_BANDPASS#ON_SOURCE,CALIBRATE_FLUX#ON_SOURCE",
    "CALIBRATE_PHASE#ON_SOURCE",
)
TARGET, TSYS = "OBSERVE_TARGET#ON_SOURCE", "CALIBRATE_ATMOSPHERE#OFF_SOURCE,CALIBRATE_WVR#ON_SOURCE"
MODES = [BANDPASS, PHASE, TARGET, TSYS]


def test_calls_are_read_with_one_entry_per_table_and_without_directories():
    first, second = calapply.parse_calls(EXPORTED)
    assert first["gaintable"] == ["x.bcal.tbl", "x.gpcal.tbl"]
    assert first["calwt"] == [True, False]
    assert first["spwmap"] == [[], [0, 0]]
    assert second["gaintable"] == ["x.bcal.tbl"]
    assert second["interp"] == ["nearest,nearest"]
    assert second["calwt"] == [True]
    assert second["spwmap"] == [[0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", "no applycal"),
        ("import os\n", "line 1 is no applycal"),
        ("applycal(vis='a.ms')\nflagdata(vis='a.ms')\n", "line 2 is no applycal"),
        ("applycal('a.ms')\n", "line 1 is no applycal"),
        ("applycal(vis=open('x').read())\n", "malformed node"),
    ],
)
def test_what_is_no_literal_applycal_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        calapply.parse_calls(text)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("TARGET,PHASE,WVR", [PHASE, TARGET]),
        ("BANDPASS,AMPLITUDE", BANDPASS.split(",")),
        ("", [*BANDPASS.split(","), PHASE, TARGET]),
        ("WVR,ATMOSPHERE", []),
        ("POLARIZATION", []),
        ("*BANDPASS*", ["*BANDPASS*"]),
        (TARGET, [TARGET]),
    ],
)
def test_intents_of_the_pipeline_become_those_of_the_ms(wanted, found):
    assert calapply.intents_of_ms(wanted, MODES) == found


@pytest.mark.parametrize(
    ("mode", "intent"),
    [
        ("CALIBRATE_PHASE#ON_SOURCE", "PHASE"),
        ("CALIBRATE_PHASE.ON_SOURCE", "PHASE"),
        ("CALIBRATE_PHASE_ON_SOURCE", "PHASE"),
        ("CALIBRATE_FLUX#ON_SOURCE", "AMPLITUDE"),
        ("OBSERVE_CHECK_SOURCE#ON_SOURCE", "CHECK"),
        ("OBSERVE_TARGET#OFF_SOURCE", None),
        ("CALIBRATE_WVR#ON_SOURCE", None),
    ],
)
def test_each_form_of_an_intent_is_known(mode, intent):
    assert calapply.pipeline_intent(mode) == intent


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (DELIVERED, {"ocorr_mode": "ca"}),
        (
            "hif_restoredata(vis=['a'], bdfflags=False, asis='Source', lazy=True)\n",
            {"bdfflags": False, "asis": "Source"},
        ),
        ("hifa_restoredata(vis=['a'], ocorr_mode=mode())\n", {}),
        ("print 'a'\nhif_restoredata(vis=['a'], bdfflags=False)\n", {}),
        ("h_init()\n", {}),
    ],
)
def test_the_options_of_the_restore_script_are_read_not_run(script, options):
    assert calapply.restore_options(script) == options
