"""``pipeline_manifest.xml``: what belongs together, in the outline of the ALMA pipeline's.

The execution blocks stand in the sessions that the delivery's own manifest names, else in one.
``pipeline_version`` says reimage's: no ALMA pipeline made these files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import quoteattr

from reimage import __version__
from reimage.delivery import paperwork
from reimage.imaging.account import Account
from reimage.imaging.names import Names
from reimage.model import Product, ProductState

ONE_SESSION = "session_1"
_OUS_FILES: Mapping[str, tuple[str, str, str]] = {
    "weblog": ("weblog", "weblog", "tgz"),
    "casa_commands": ("casa_cmdlog", "casa_commands", "log"),
    "casa_pipescript": ("pipescript", "casa_pipescript", "py"),
    "restorescript": ("restorescript", "casa_piperestorescript", "py"),
    "manifest": ("manifest", "pipeline_manifest", "xml"),
    "cont.dat": ("cont_file", "cont", "dat"),
    "flux.csv": ("flux_file", "flux", "csv"),
}
"""Kind of product: element, datatype, format."""


def manifest(
    told: Account,
    names: Names,
    files: Sequence[Product],
    sessions: Mapping[str, Sequence[str]],
) -> str:
    """Return the text of the manifest.

    Parameters
    ----------
    files
        What goes with the images, the manifest itself too.
    sessions
        Execution blocks by session.
    """
    made = [product for product in files if product.state is not ProductState.ABSENT]
    lines = [
        '<?xml version="1.0" ?>',
        f"<piperesults name={quoteattr(names.ous)}>",
        f"  <ous name={quoteattr(names.ous)}>",
        _element("casaversion", name=told.request.build.version),
        _element("pipeline_version", name=f"reimage-{__version__}"),
        _element("procedure_name", name=names.procedure),
        "    <execution_environment>",
        _element("node", depth=3, num_mpi_servers="0"),
        "    </execution_environment>",
        *_sessions(told, made, sessions),
        *_own_files(names, made),
        *_images(told),
        "  </ous>",
        "</piperesults>",
    ]
    return "\n".join(lines) + "\n"


def _sessions(
    told: Account, made: Sequence[Product], sessions: Mapping[str, Sequence[str]]
) -> Iterable[str]:
    ebs = [ms.eb for ms in told.request.ms]
    named = {eb for several in sessions.values() for eb in several}
    grouped = {name: [eb for eb in ebs if eb in several] for name, several in sessions.items()}
    rest = [eb for eb in ebs if eb not in named]
    if rest:
        grouped[ONE_SESSION] = [*grouped.get(ONE_SESSION, []), *rest]
    for session, blocks in grouped.items():
        if not blocks:
            continue
        yield f"    <session name={quoteattr(session)}>"
        for eb in blocks:
            yield from _block(eb, made)
        yield "    </session>"


def _block(eb: str, made: Sequence[Product]) -> Iterable[str]:
    name = f"{eb}.ms"
    yield f'      <asdm name={quoteattr(name)} datatype="asdm" format="sdm">'
    for kind, tag, datatype in (
        ("flagversions", "finalflags", "ms.flagversions"),
        ("calapply", "applycmds", "ms.calapply"),
    ):
        for product in made:
            if product.kind == kind and _is_of(product.name, eb):
                form = product.name.rpartition(".")[2]
                yield _element(
                    tag, depth=4, name=product.name, asdm=name, datatype=datatype, format=form
                )
    yield "      </asdm>"


def _is_of(name: str, eb: str) -> bool:
    return (paperwork.eb_of(name) or "").casefold() == eb.casefold()


def _own_files(names: Names, made: Sequence[Product]) -> Iterable[str]:
    for kind, (tag, datatype, form) in _OUS_FILES.items():
        for product in made:
            if product.kind == kind:
                yield _element(
                    tag,
                    name=product.name,
                    level="member",
                    ous=names.ous,
                    package=names.procedure,
                    datatype=datatype,
                    format=form,
                )


def _images(told: Account) -> Iterable[str]:
    for product in told.imaged.products:
        if product.state is not ProductState.ABSENT:
            yield _element(
                "image",
                name=product.name,
                imtype="science",
                manualstring="N/A",
                field=product.target,
                virtspw=product.spws,
                specmode=product.specmode,
                type=product.kind,
            )


def _element(tag: str, *, depth: int = 2, **attributes: str) -> str:
    words = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"{'  ' * depth}<{tag}{words}/>"
