"""What a column of the TAP service is, and the columns of ``ivoa.obscore``.

The names are those of ALMA's own table (the samples in the reference carry 64 of them), completed
to the mandatory ones of ObsCore 1.1.  Types, units, UCDs and utypes are the standard's; where the
archive differs (``s_resolution`` and friends are arcsec, ``bandwidth`` is Hz) the archive wins only
in columns of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

CHAR, DOUBLE, INT, LONG = "char", "double", "int", "long"
UNICODE: Final = "unicodeChar"
_REAL: Final = {DOUBLE, "float"}
_RESERVED: Final = {"SIZE"}
"""Words of ADQL that columns of ours have as names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, as VOTable, VOSI and TAP_SCHEMA describe it."""

    name: str
    datatype: str = CHAR
    """A type of VOTable: char, double, int or long; in uploads others too."""
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    """Of ObsCore, without its prefix."""
    xtype: str = ""
    description: str = ""
    is_standard: bool = False
    """One of ObsCore 1.1 or of TAP_SCHEMA."""
    is_indexed: bool = False

    @property
    def delimited(self) -> str:
        """Its name as a query has to write it."""
        return f'"{self.name}"' if self.name.upper() in _RESERVED else self.name

    @property
    def arraysize(self) -> str:
        """``*`` for text."""
        return "*" if self.datatype in {CHAR, UNICODE} else ""

    @property
    def affinity(self) -> str:
        """Its type in SQLite."""
        if self.datatype in {CHAR, UNICODE}:
            return "TEXT"
        return "REAL" if self.datatype in _REAL else "INTEGER"

    def renamed(self, name: str) -> Column:
        """Return it under another name."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A foreign key of one column."""

    id: str
    target: str
    from_column: str
    target_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """One table: its name with its schema's, and its columns."""

    name: str
    description: str
    columns: tuple[Column, ...]
    utype: str = ""
    keys: tuple[Key, ...] = ()

    @property
    def schema(self) -> str:
        """The part before the point."""
        return self.name.partition(".")[0]

    @property
    def bare_name(self) -> str:
        """The part after the point."""
        return self.name.partition(".")[2]


_STANDARD: Final = """
dataproduct_type|char||meta.code.class|ObsDataset.dataProductType|kind of product: cube or image
calib_level|int||meta.code;obs.calib|ObsDataset.calibLevel|calibration level: 2 of a member OUS, 3 of a group OUS
obs_collection|char||meta.id|DataID.Collection|name of the collection
obs_id|char||meta.id|DataID.observationID|member OUS, with source and spectral window
obs_publisher_did|char||meta.ref.ivoid|Curation.PublisherDID|project as the publisher names it; not unique
access_url|char||meta.ref.url|Access.Reference|DataLink document of the member OUS
access_format|char||meta.code.mime|Access.Format|type of that document
access_estsize|long|kbyte|phys.size;meta.file|Access.Size|estimated size of all files; often unknown
target_name|char||meta.id;src|Target.Name|source as the proposer named it
s_ra|double|deg|pos.eq.ra|Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C1|right ascension (ICRS)
s_dec|double|deg|pos.eq.dec|Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C2|declination (ICRS)
s_fov|double|deg|phys.angSize;instr.fov|Char.SpatialAxis.Coverage.Bounds.Extent.diameter|diameter of the covered field
s_region|char||pos.outline;obs.field|Char.SpatialAxis.Coverage.Support.Area|region covered, in the archive's STC-S
s_xel1|long||meta.number|Char.SpatialAxis.numBins1|pixels along the first axis
s_xel2|long||meta.number|Char.SpatialAxis.numBins2|pixels along the second axis
s_resolution|double|arcsec|pos.angResolution|Char.SpatialAxis.Resolution.Refval.value|typical resolution on the sky
t_min|double|d|time.start;obs.exposure|Char.TimeAxis.Coverage.Bounds.Limits.StartTime|start, MJD
t_max|double|d|time.end;obs.exposure|Char.TimeAxis.Coverage.Bounds.Limits.StopTime|end, MJD
t_exptime|double|s|time.duration;obs.exposure|Char.TimeAxis.Coverage.Support.Extent|time on source
t_resolution|double|s|time.resolution|Char.TimeAxis.Resolution.Refval.value|resolution in time
t_xel|long||meta.number|Char.TimeAxis.numBins|samples in time
em_min|double|m|em.wl;stat.min|Char.SpectralAxis.Coverage.Bounds.Limits.LoLimit|shortest wavelength
em_max|double|m|em.wl;stat.max|Char.SpectralAxis.Coverage.Bounds.Limits.HiLimit|longest wavelength
em_res_power|double||spect.resolution|Char.SpectralAxis.Resolution.ResolPower.refVal|resolving power
em_xel|long||meta.number|Char.SpectralAxis.numBins|channels
o_ucd|char||meta.ucd|Char.ObservableAxis.ucd|what is measured
pol_states|char||meta.code;phys.polarization|Char.PolarizationAxis.stateList|polarisations, between slashes
pol_xel|long||meta.number|Char.PolarizationAxis.numBins|polarisations, their number
facility_name|char||meta.id;instr.tel|Provenance.ObsConfig.Facility.name|observatory
instrument_name|char||meta.id;instr|Provenance.ObsConfig.Instrument.name|instrument
"""
_OPTIONAL: Final = """
em_resolution|double|m|spect.resolution;stat.mean|Char.SpectralAxis.Resolution.Refval.value|not to be trusted
proposal_id|char||meta.id;obs.proposal|Provenance.Proposal.identifier|project code
data_rights|char||meta.code|Curation.Rights|Public or Proprietary
obs_release_date|char||time.release|Curation.releaseDate|when the data become public; the year 3000 where not known
obs_title|char||meta.title;obs|DataID.Title|title of the project
obs_creator_name|char||meta.id|DataID.Creator|principal investigator
bib_reference|char||meta.bib.bibcode|Curation.Reference|publications
"""
_ALMA: Final = """
gal_longitude|double|deg|pos.galactic.lon||galactic longitude of the centre
gal_latitude|double|deg|pos.galactic.lat||galactic latitude of the centre
band_list|char||instr.bandpass||receiver bands, numbers with blanks between
bandwidth|double|Hz|instr.bandwidth||width of the spectral window
antenna_arrays|char||instr||pad:antenna, with blanks between
is_mosaic|char||meta.code||T or F
spatial_resolution|double|arcsec|pos.angResolution||typical resolution on the sky
frequency_support|char||em.freq||all spectral windows with widths and sensitivities
frequency|double|GHz|em.freq;obs;meta.main||tuned frequency on the sky
velocity_resolution|double|m/s|spect.dopplerVeloc||resolution in velocity, of all windows together
pub_title|char||meta.title||titles of the publications
first_author|char||meta.bib.author||first authors of the publications
authors|char||meta.bib.author||authors of the publications
pub_abstract|char||meta.abstract||abstracts of the publications
publication_year|int||meta.bib||years of the publications
proposal_abstract|char||meta.abstract||abstract of the proposal
schedblock_name|char||meta.id||scheduling block
proposal_authors|char||meta.bib.author||co-investigators
sensitivity_10kms|double|mJy/beam|stat.stdev||estimated noise in 10 km/s
cont_sensitivity_bandwidth|double|mJy/beam|stat.stdev||estimated noise in the whole bandwidth
pwv|double|mm|phys.columnDensity||water vapour
group_ous_uid|char||meta.id||group OUS
member_ous_uid|char||meta.id||member OUS: the dataset
asdm_uid|char||meta.id||execution block
type|char||meta.code||type of the project: S, L, T, V or P
scan_intent|char||meta.code||intents
science_observation|char||meta.code||T or F
spatial_scale_max|double|arcsec|phys.angSize;stat.max||largest scale that can be seen
qa2_passed|char||meta.code||T or F
collections|char||meta.code||further collections, such as ari_l
science_keyword|char||meta.code||keywords of the proposal
scientific_category|char||meta.code||category of the proposal
spectral_resolution|double|Hz|spect.resolution||channel width
lastModified|char||time||when the row last changed
"""
_INDEXED: Final = {"member_ous_uid", "proposal_id", "lastModified", "obs_id"}


def _columns(text: str, *, is_standard: bool) -> tuple[Column, ...]:
    made = []
    for line in text.strip().splitlines():
        name, datatype, unit, ucd, utype, description = line.split("|")
        made.append(
            Column(
                name=name,
                datatype=datatype,
                unit=unit,
                ucd=ucd,
                utype=f"obscore:{utype}" if utype else "",
                xtype="adql:REGION" if name == "s_region" else "",
                description=description,
                is_standard=is_standard,
                is_indexed=name in _INDEXED,
            )
        )
    return tuple(made)


OBSCORE: Final = (
    *_columns(_STANDARD, is_standard=True),
    *_columns(_OPTIONAL, is_standard=True),
    *_columns(_ALMA, is_standard=False),
)
