"""Measurement set to ASDM, with the scans, intents and names that an ALMA observation has.

`exportasdm` alone writes a whole MS as one scan with one intent and nameless spws.  So each scan
first becomes a field of its own in a temporary copy (one binary file per spw and scan), and the
metadata tables are put right afterwards.  Unlike a real ASDM: no WVR, SQLD or channel-average spws,
no Tsys, one Main row per spw; spw ids therefore begin at 0.
"""

import os
import re
import shutil

import numpy as np

from casatasks import exportasdm
from casatools import msmetadata, table

FIELD_OF_SCAN = re.compile(r"reimage_f(\d+)_s(\d+)$")


class Xml:
    """One metadata table of an ASDM, as text: rows are replaced, the frame is kept."""

    def __init__(self, asdm, name):
        self.path, self.name = os.path.join(asdm, name + ".xml"), name
        with open(self.path) as stream:
            self.text = stream.read()

    @property
    def rows(self):
        return re.findall(r"<row>.*?</row>", self.text, re.S)

    def write(self, rows):
        head = self.text[: self.text.index("<row>")]
        tail = self.text[self.text.rindex("</row>") + len("</row>") :]
        self.text = head + "\n  ".join(rows) + tail
        with open(self.path, "w") as stream:
            stream.write(self.text)


def get(row, tag):
    return re.search(r"<%s>\s*(.*?)\s*</%s>" % (tag, tag), row, re.S).group(1)


def put(row, **values):
    for tag, value in values.items():
        row = re.sub(
            r"<%s>.*?</%s>" % (tag, tag), "<%s> %s </%s>" % (tag, value, tag), row, flags=re.S
        )
    return row


def make(ms, asdm):
    """Write the ASDM of a raw MS; its directory is named like the execution block."""
    scans, spw_names, n_fields = _read(ms)
    copy = asdm + ".tmp.ms"
    for path in (copy, asdm):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(ms, copy)
    _field_per_scan(copy, scans, n_fields)
    archive, high, low = os.path.basename(asdm)[len("uid___") :].split("_")
    exportasdm(
        vis=copy,
        asdm=asdm,
        datacolumn="data",
        archiveid=archive,
        rangeid=high,
        subscanduration="24h",
        sbduration="27000s",
        apcorrected=False,
        verbose=False,
    )
    shutil.rmtree(copy)
    subscans = _main_and_fields(asdm, scans)
    _scans_and_subscans(asdm, scans, subscans)
    _names(asdm, spw_names, high, low)
    _contents(asdm)


def _read(ms):
    """[(scan, field id, field name, intents)], spw names, number of fields."""
    md = msmetadata()
    md.open(ms)
    names = md.fieldnames()
    scans = []
    for scan in md.scannumbers():
        field = int(md.fieldsforscan(int(scan))[0])
        intents = sorted(str(intent).split("#")[0] for intent in md.intentsforscan(int(scan)))
        scans.append((int(scan), field, names[field], intents))
    spws = list(md.namesforspws())
    md.done()
    return scans, spws, len(names)


def _field_per_scan(ms, scans, n_fields):
    tb = table()
    tb.open(ms + "/FIELD", nomodify=False)
    for k, (scan, field, _, _) in enumerate(scans):
        tb.copyrows(ms + "/FIELD", startrowin=field, startrowout=-1, nrow=1)
        tb.putcell("NAME", n_fields + k, "reimage_f%d_s%d" % (field, scan))
    for field in range(n_fields):  # names may repeat (mosaics): number them
        tb.putcell("NAME", field, "reimage_f%d" % field)
    tb.close()
    tb.open(ms, nomodify=False)
    number = tb.getcol("SCAN_NUMBER")
    ids = np.zeros(len(number), int)
    for k, (scan, _, _, _) in enumerate(scans):
        ids[number == scan] = n_fields + k
    tb.putcol("FIELD_ID", ids)
    tb.close()


def _main_and_fields(asdm, scans):
    """True fields and scans in Field and Main; returns the first subscan that each scan was given."""
    names = {field: name for _, field, name, _ in scans}
    fields, kept, of_id, base = Xml(asdm, "Field"), [], {}, {}
    for row in fields.rows:
        found = FIELD_OF_SCAN.match(get(row, "fieldName"))
        if found:
            of_id[get(row, "fieldId")] = int(found.group(1)), int(found.group(2))
            continue
        field = int(get(row, "fieldName")[len("reimage_f") :])
        base[field] = get(row, "fieldId")
        kept.append(put(row, fieldName=names[field]))
    fields.write(kept)
    main, rows, subscans = Xml(asdm, "Main"), [], {}
    for row in main.rows:
        field, scan = of_id[get(row, "fieldId")]
        subscans.setdefault(scan, get(row, "subscanNumber"))
        rows.append(put(row, fieldId=base[field], scanNumber=scan, subscanNumber=1))
    main.write(rows)
    return subscans


def _scans_and_subscans(asdm, scans, subscans):
    sub, scan_table = Xml(asdm, "Subscan"), Xml(asdm, "Scan")
    exported = {get(row, "subscanNumber"): row for row in sub.rows}
    block = re.search(r"<execBlockId>.*?</execBlockId>", scan_table.rows[0], re.S).group(0)
    new_scans, new_subscans = [], []
    for scan, _, name, intents in scans:
        row = exported[subscans[scan]]
        new_subscans.append(put(row, fieldName=name, scanNumber=scan, subscanNumber=1))
        n = len(intents)
        array = "1 %d " % n
        new_scans.append(
            "\n".join(
                [
                    "<row>",
                    "<scanNumber> %d </scanNumber>" % scan,
                    "<startTime> %s </startTime>" % get(row, "startTime"),
                    "<endTime> %s </endTime>" % get(row, "endTime"),
                    "<numIntent> %d </numIntent>" % n,
                    "<numSubscan> 1 </numSubscan>",
                    "<scanIntent> %s </scanIntent>" % (array + " ".join(intents)),
                    "<calDataType> %s </calDataType>"
                    % (array + " ".join(["FULL_RESOLUTION_CROSS"] * n)),
                    "<calibrationOnLine> %s </calibrationOnLine>"
                    % (array + " ".join(["false"] * n)),
                    "<sourceName> %s </sourceName>" % name,
                    block,
                    "</row>",
                ]
            )
        )
    sub.write(new_subscans)
    scan_table.write(new_scans)


def _names(asdm, spw_names, high, low):
    """Spw names, and the execution block's own uid."""
    spws = Xml(asdm, "SpectralWindow")
    spws.write(
        [
            row.replace("</spectralWindowId>", "</spectralWindowId> <name> %s </name>" % name, 1)
            for row, name in zip(spws.rows, spw_names)
        ]
    )
    sources = os.path.join(asdm, "Source.xml")
    if os.path.exists(sources):
        with open(sources) as stream:
            text = stream.read()
        with open(sources, "w") as stream:
            stream.write(re.sub(r"reimage_f\d+(_s\d+)?", "", text))


def _contents(asdm):
    """Row counts in the table of contents."""
    toc = os.path.join(asdm, "ASDM.xml")
    with open(toc) as stream:
        text = stream.read()
    for name in ("Main", "Subscan", "Scan", "Field"):
        count = len(Xml(asdm, name).rows)
        text = re.sub(
            r"(<Name>\s*%s\s*</Name>\s*<NumberRows>\s*)\d+" % name,
            lambda found: found.group(1) + str(count),
            text,
        )
    with open(toc, "w") as stream:
        stream.write(text)
