"""What the service says of itself (VOSI): its capabilities, its tables, whether it is up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reimage.archive.server.asking import Limits
from reimage.archive.server.columns import Column, Key, TableShape
from reimage.archive.server.functions import FUNCTIONS
from reimage.archive.server.votable import BINARY2_TYPE, MEDIA_TYPE

XML: Final = "text/xml"
_XSI: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_REGEXT: Final = "ivo://ivoa.net/std/TAPRegExt"
_FORMATS: Final = (
    (MEDIA_TYPE, f"{_REGEXT}#output-votable-td", "votable"),
    (BINARY2_TYPE, f"{_REGEXT}#output-votable-binary2", "votable/b2"),
    ("text/csv;header=present", "", "csv"),
    ("text/tab-separated-values", "", "tsv"),
)
_EXAMPLES: Final = (
    ("All of band 6", "SELECT TOP 100 * FROM ivoa.obscore WHERE band_list LIKE '%6%'"),
    (
        "Everything near a position",
        (
            "SELECT DISTINCT member_ous_uid, target_name FROM ivoa.obscore"
            " WHERE INTERSECTS(CIRCLE('ICRS', 201.365, -43.019, 0.1), s_region) = 1"
        ),
    ),
    (
        "Execution blocks of each dataset",
        (
            "SELECT member_ous_uid, COUNT(DISTINCT asdm_uid) AS n_ebs FROM ivoa.obscore"
            " GROUP BY member_ous_uid"
        ),
    ),
)
_VOSI: Final = (("capabilities", ""), ("availability", ""), ("tables-1.1", ' version="1.1"'))


def availability(since: str) -> str:
    """Return the VOSI availability: what answers is up."""
    return (
        f'{_DECLARATION}<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">'
        f"<vosi:available>true</vosi:available><vosi:upSince>{since}</vosi:upSince>"
        "<vosi:note>a directory archive of reimage</vosi:note></vosi:availability>"
    )


def capabilities(base: str, limits: Limits) -> str:
    """Return the VOSI capabilities of the TAP service below ``base``."""
    tap = escape(f"{base}/tap")
    others = "".join(
        f'<capability standardID="ivo://ivoa.net/std/VOSI#{standard}">'
        f'<interface xsi:type="vs:ParamHTTP"{version}>'
        f'<accessURL use="full">{tap}/{standard.partition("-")[0]}</accessURL>'
        "</interface></capability>"
        for standard, version in _VOSI
    )
    others += (
        '<capability standardID="ivo://ivoa.net/std/DALI#examples">'
        '<interface xsi:type="vr:WebBrowser">'
        f'<accessURL use="full">{tap}/examples</accessURL></interface></capability>'
    )
    return (
        f'{_DECLARATION}<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0"'
        ' xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"'
        ' xmlns:vr="http://www.ivoa.net/xml/VOResource/v1.0"'
        f' xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" {_XSI}>'
        '<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">'
        '<interface xsi:type="vs:ParamHTTP" role="std" version="1.1">'
        f'<accessURL use="base">{tap}</accessURL></interface>'
        '<dataModel ivo-id="ivo://ivoa.net/std/ObsCore#core-1.1">ObsCore-1.1</dataModel>'
        f"{_language()}{_formats()}{_limits(limits)}</capability>{others}</vosi:capabilities>"
    )


def _language() -> str:
    geometry = "".join(
        f"<feature><form>{name}</form></feature>"
        for name, function in FUNCTIONS.items()
        if function.is_geometry
    )
    return (
        "<language><name>ADQL</name>"
        '<version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">2.0</version>'
        "<description>The Astronomical Data Query Language 2.0</description>"
        f'<languageFeatures type="{_REGEXT}#features-adqlgeo">{geometry}</languageFeatures>'
        f'<languageFeatures type="{_REGEXT}#features-udf"><feature>'
        "<form>RANGE_S2D(ra_min DOUBLE, ra_max DOUBLE, dec_min DOUBLE, dec_max DOUBLE)"
        " -&gt; REGION</form><description>Between two meridians and two parallels.</description>"
        "</feature></languageFeatures></language>"
    )


def _formats() -> str:
    return "".join(
        f"<outputFormat{f' ivo-id={quoteattr(name)}' if name else ''}><mime>{mime}</mime>"
        f"<alias>{alias}</alias></outputFormat>"
        for mime, name, alias in _FORMATS
    )


def _limits(limits: Limits) -> str:
    seconds, kept = int(limits.execution_s), int(limits.retention_s)
    return (
        f'<uploadMethod ivo-id="{_REGEXT}#upload-inline"/>'
        f'<uploadMethod ivo-id="{_REGEXT}#upload-http"/>'
        f"<retentionPeriod><default>{kept}</default><hard>{kept}</hard></retentionPeriod>"
        f"<executionDuration><default>{seconds}</default><hard>{seconds}</hard></executionDuration>"
        f'<outputLimit><default unit="row">{limits.rows}</default>'
        f'<hard unit="row">{limits.rows}</hard></outputLimit>'
        f'<uploadLimit><hard unit="row">{limits.uploaded_rows}</hard></uploadLimit>'
    )


def examples() -> str:
    """Return queries to begin with, as DALI has examples."""
    shown = "".join(
        f'<div typeof="example" id="example-{number}" resource="#example-{number}">'
        f'<h2 property="name">{escape(title)}</h2>'
        f'<pre property="query">{escape(query)}</pre></div>'
        for number, (title, query) in enumerate(_EXAMPLES)
    )
    return (
        f'{_DECLARATION}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Examples</title>'
        f'</head><body vocab="http://www.ivoa.net/rdf/examples#">{shown}</body></html>'
    )


def tableset(shapes: Sequence[TableShape]) -> str:
    """Return the VOSI tables."""
    schemas: dict[str, list[TableShape]] = {}
    for shape in shapes:
        schemas.setdefault(shape.schema, []).append(shape)
    inner = "".join(
        f"<schema><name>{escape(name)}</name>{''.join(map(_table, listed))}</schema>"
        for name, listed in schemas.items()
    )
    return (
        f'{_DECLARATION}<vosi:tableset xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0"'
        f' xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" {_XSI}>{inner}</vosi:tableset>'
    )


def table(shape: TableShape) -> str:
    """Return the VOSI document of one table."""
    spaces = (
        'xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0"'
        f' xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" {_XSI}'
    )
    return f'{_DECLARATION}<vosi:table {spaces} type="table">{_inside(shape)}</vosi:table>'


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def _table(shape: TableShape) -> str:
    return f'<table type="table">{_inside(shape)}</table>'


def _inside(shape: TableShape) -> str:
    said = _element("name", shape.name) + _element("description", shape.description)
    parts = [*map(_column, shape.columns), *map(_key, shape.keys)]
    return said + _element("utype", shape.utype) + "".join(parts)


def _column(column: Column) -> str:
    said = {"arraysize": column.arraysize, "extendedType": column.xtype}
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in said.items() if value)
    return (
        f'<column std="{str(column.is_standard).lower()}">'
        + _element("name", column.delimited)
        + _element("description", column.description)
        + _element("unit", column.unit)
        + _element("ucd", column.ucd)
        + _element("utype", column.utype)
        + f'<dataType xsi:type="vs:VOTableType"{attributes}>{column.datatype}</dataType>'
        + ("<flag>indexed</flag>" if column.is_indexed else "")
        + ("<flag>principal</flag>" if column.is_standard else "")
        + "</column>"
    )


def _key(key: Key) -> str:
    return (
        f"<foreignKey><targetTable>{escape(key.target)}</targetTable>"
        f"<fkColumn><fromColumn>{key.from_column}</fromColumn>"
        f"<targetColumn>{key.target_column}</targetColumn></fkColumn></foreignKey>"
    )
