"""The documents of a delivery, in the shapes that the archive's have (archive paper trail of an MOUS)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

from reimage.demo.plan import DemoDataset

SIMULATED = "Simulated data, made by `reimage demo build`; not an observation."


def old_readme(dataset: DemoDataset) -> str:
    """Return a README of Cycles 0 to 4, which names the CASA version."""
    setup = "CSV" if dataset.cycle == 0 else f"C{30 + dataset.cycle}-1"
    return "\n".join(
        [
            f"Cycle: {dataset.cycle}",
            f"Project code: {dataset.project}",
            f"SB name: {dataset.target}_a_{dataset.band:02d}_TE",
            "PI name: Nobody, S.",
            f"Project title: {SIMULATED}",
            f"Configuration: {setup}",
            "Proposed rms: 1 mJy",
            "Proposed beam size: 2.0 arcsec",
            f"CASA version used for reduction: {dataset.casa}",
            "QA2 Result: PASS",
            "Total Number of Member SBs in this OUS Group: 1",
            "Comments from Reducer: none",
            "",
        ]
    )


def new_readme(dataset: DemoDataset, *, passed: str = "PASS") -> str:
    """Return a README of Cycle 5 and later, which names no version."""
    return f"""README of member OUS {dataset.mous}, project {dataset.project}
{SIMULATED}

QA2 status: {passed}

The delivery comes in these groups:
  auxiliary        calibration tables, scripts, quality assurance and logs
  product          images
  raw              the ASDM of each execution block
  raw (semipass)   execution blocks that did not pass QA0
  external         ancillary data, if any

To restore the calibrated data, install the latest CASA software (for manually reduced data: the
version named in the QA2 report), change into directory "script" and run
  casa --pipeline -c *scriptForPI.py
"""


def manifest(dataset: DemoDataset, recipe: str, tables: Mapping[str, str]) -> str:
    """Return pipeline_manifest.xml with one or several sessions; blocks are dealt out over them."""
    stem = f"member.{dataset.mous.name}"
    names = [block.eb.name for block in dataset.blocks]
    sessions = []
    for number, (session, file) in enumerate(tables.items()):
        blocks = "\n".join(
            f"""      <asdm name="{name}.ms">
        <finalflags name="{name}.ms.flagversions.tgz"/>
        <applycmds name="{name}.ms.calapply.txt"/>
      </asdm>"""
            for name in (names if len(tables) == 1 else names[number : number + 1])
        )
        sessions.append(
            f'    <session name="{session}">\n      <caltables name="{file}"/>\n{blocks}\n    </session>'
        )
    body = "\n".join(sessions)
    return f"""<piperesults name="{dataset.mous.name}">
  <ous name="{dataset.mous.name}">
    <casaversion name="{dataset.casa}"/>
    <pipeline_version name="{dataset.pipeline}"/>
    <procedure_name name="{recipe}"/>
{body}
    <restorescript name="{stem}.{recipe}.casa_piperestorescript.py"/>
    <pprequest name="{stem}.{recipe}.pprequest.xml"/>
    <weblog name="{stem}.{recipe}.weblog.tgz"/>
    <aux_products_file name="{stem}.{recipe}.auxproducts.tgz"/>
  </ous>
</piperesults>
"""


def ppr(dataset: DemoDataset, recipe: str) -> str:
    """Return the processing request.  Its own uid is not the MOUS's; AsdmDiskName lists the blocks."""
    identifiers = "\n".join(
        f"""        <AsdmIdentifier>
          <AsdmRef><ExecBlockId>{block.eb}</ExecBlockId></AsdmRef>
          <AsdmDiskName>{block.eb.name}</AsdmDiskName>
        </AsdmIdentifier>"""
        for block in dataset.blocks
    )
    sessions = "|".join(str(block.eb) for block in dataset.blocks)
    commands = "\n".join(
        f"      <ProcessingCommand><Command>{name}</Command><ParameterSet/></ProcessingCommand>"
        for name in ("hifa_importdata", "hifa_bandpass", "hifa_timegaincal", "hif_applycal",
                     "hif_makeimlist", "hif_makeimages", "hifa_exportdata")
    )  # fmt: skip
    return f"""<SciPipeRequest>
  <ProjectSummary>
    <ProposalCode>{dataset.project}</ProposalCode><Observatory>ALMA</Observatory>
    <Telescope>ALMA</Telescope><ProcessingSite>JAO</ProcessingSite><Mode>SCIENCE</Mode>
  </ProjectSummary>
  <ProjectStructure>
    <ObsUnitSetRef entityId="{dataset.mous}" entityTypeName="ObsProject"/>
    <ObsUnitSetTitle>Member OUS ({dataset.target})</ObsUnitSetTitle>
    <ObsUnitSetType>Member</ObsUnitSetType>
    <OUSStatusRef entityId="{dataset.mous}" entityTypeName="OUSStatus"/>
  </ProjectStructure>
  <ProcessingRequests><ProcessingRequest>
    <ProcessingIntents>
      <Intents><Keyword>PROCESS</Keyword><Value>true</Value></Intents>
      <Intents><Keyword>{dataset.session.upper()}</Keyword><Value>{sessions}</Value></Intents>
    </ProcessingIntents>
    <ProcessingProcedure><ProcedureTitle>{recipe}</ProcedureTitle>
{commands}
    </ProcessingProcedure>
    <DataSet><SchedBlockSet><SchedBlockIdentifier>
        <SBTitle>{dataset.target}_a_{dataset.band:02d}_TM1</SBTitle>
{identifiers}
    </SchedBlockIdentifier></SchedBlockSet></DataSet>
  </ProcessingRequest></ProcessingRequests>
</SciPipeRequest>
"""


def restore_script(dataset: DemoDataset, sessions: Sequence[str] = ()) -> str:
    """Return casa_piperestorescript.py, which needs the ALMA pipeline; one of several sessions per block."""
    names = [block.eb.name for block in dataset.blocks]
    sessions = list(sessions) if len(sessions) > 1 else [dataset.session for _ in names]
    return f"""__rethrow_casa_exceptions = True
h_init()
try:
    hifa_restoredata (vis={names!r}, session={sessions!r}, ocorr_mode='ca')
finally:
    h_save()
"""


def pipescript(dataset: DemoDataset, recipe: str) -> str:
    """Return casa_pipescript.py, with the state that identifies the MOUS."""
    names = [block.eb.name for block in dataset.blocks]
    sessions = [dataset.session for _ in names]
    return f"""__rethrow_casa_exceptions = True
context = h_init()
context.set_state('ProjectSummary', 'proposal_code', '{dataset.project}')
context.set_state('ProjectSummary', 'observatory', 'Joint ALMA Observatory')
context.set_state('ProjectStructure', 'ous_part_id', 'X1')
context.set_state('ProjectStructure', 'ousstatus_entity_id', '{dataset.mous}')
context.set_state('ProjectStructure', 'recipe_name', '{recipe}')
try:
    hifa_importdata(vis={names!r}, session={sessions!r}, dbservice=True)
    hifa_flagdata()
    hifa_bandpass()
    hifa_gfluxscale()
    hifa_timegaincal()
    hif_applycal()
    hif_makeimlist(specmode='mfs')
    hif_makeimages()
    hif_makeimlist(specmode='cont')
    hif_makeimages()
    hif_makeimlist(specmode='cube')
    hif_makeimages()
    hifa_exportdata()
finally:
    h_save()
"""


def qa2_report(dataset: DemoDataset, *, status: str = "Pass") -> str:
    """Return the QA2 report: the value of a header cell stands in the next row."""
    mode = "PL calibration and imaging" if dataset.pipeline else "Manual calibration"
    return f"""<html><head><title>QA2 report {dataset.mous}</title></head><body>
<h1>QA2 report of {dataset.mous}</h1><p>{SIMULATED}</p>
<table border="1">
<tr><th>Project</th><th>SB</th><th>QA2 status</th><th>CASA version</th><th>Reduction mode</th></tr>
<tr><td>{dataset.project}</td><td>{dataset.target}_a_{dataset.band:02d}_TM1</td><td>{status}</td>\
<td>{dataset.casa}</td><td>{mode}</td></tr>
</table></body></html>
"""


def weblog_index(dataset: DemoDataset, recipe: str) -> str:
    """Return the weblog's first page."""
    rows = [
        ("OUS Status Entity id", str(dataset.mous)),
        ("Recipe", recipe),
        ("CASA Version", dataset.casa.replace("-", ".")),
        ("Pipeline Version", dataset.pipeline),
    ]
    body = "\n".join(f"<tr><th>{key}</th><td>{value}</td></tr>" for key, value in rows)
    return f"<html><head><title>{dataset.mous}</title></head><body><table>\n{body}\n</table></body></html>\n"


def cont_dat(dataset: DemoDataset) -> str:
    """Return the observatory's cont.dat: no line searched for, whole windows."""
    lines = [f"Field: {dataset.target}", ""]
    for number, spw in enumerate(dataset.blocks[0].observation.spws):
        low, high = (edge / 1e9 for edge in spw.edges_hz)
        name = spw.name
        lines += [f"SpectralWindow: {number} {name}", f"{low:.7f}~{high:.7f}GHz LSRK", ""]
    return "\n".join(lines) + "\n"


def flux_csv(dataset: DemoDataset) -> str:
    """Return flux.csv: the flux of the bandpass calibrator in every window."""
    lines = ["ms,field,spw,I,Q,U,V,spix,uvmin,uvmax,comment"]
    for block in dataset.blocks:
        source = block.observation.by_role("bandpass").components[0]
        for number, spw in enumerate(block.observation.spws):
            flux = source.flux_jy * math.pow(
                spw.centre_hz / source.reference_hz, source.spectral_index
            )
            lines.append(
                f"{block.eb.name}.ms,0,{number},{flux:.4f},0.0,0.0,0.0,"
                f"{source.spectral_index},0.0,0.0,# intent=BANDPASS,AMPLITUDE"
            )
    return "\n".join(lines) + "\n"


def casa_log(dataset: DemoDataset) -> str:
    """Return the head of a log of the observatory's CASA."""
    return (
        "2014-12-20 10:11:12\tINFO\t::casa\t---\n"
        f"2014-12-20 10:11:12\tINFO\t::casa\tCASA Version {dataset.casa}\n"
        f"2014-12-20 10:11:13\tINFO\t::casa\tproject {quoteattr(dataset.project)}\n"
    )
