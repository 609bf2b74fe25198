"""Documents of single eras, where they differ from those of `reimage.demo.documents`."""

from __future__ import annotations

from collections.abc import Mapping

from reimage.demo import documents
from reimage.demo.packing import Content
from reimage.demo.plan import DemoDataset


def ppr_uid(dataset: DemoDataset) -> str:
    """Return the processing request's own uid: next to the MOUS's, not the same."""
    mous = dataset.mous
    return f"uid___{mous.archive}_{mous.high}_X{int(mous.low[1:], 16) + 1:x}"


def restore_script(dataset: DemoDataset) -> str:
    """Return casa_piperestorescript.py of CASA up to 4.7: the task had another name."""
    return documents.restore_script(dataset).replace("hifa_restoredata", "hif_restoredata")


def with_empty_first_session(ppr: str) -> str:
    """Return a PPR whose SESSION_1 is empty and whose blocks are all in SESSION_2."""
    empty = "<Intents><Keyword>SESSION_1</Keyword><Value></Value></Intents>\n      "
    start = ppr.index("<Intents><Keyword>SESSION_2")
    return ppr[:start] + empty + ppr[start:]


def auxproducts(dataset: DemoDataset) -> dict[str, Content]:
    """Return what `auxproducts.tgz` holds."""
    tree: dict[str, Content] = {
        "antennapos.csv": "name,antenna,xoff,yoff,zoff,comment\n",
        "cont.dat": documents.cont_dat(dataset),
        "flux.csv": documents.flux_csv(dataset),
    }
    for block in dataset.blocks:
        for kind in ("flagtemplate", "flagtsystemplate"):
            tree[f"{block.eb.name}.{kind}.txt"] = "# flag commands of the data reducer: none\n"
    return tree


def manifest(dataset: DemoDataset, recipe: str, tables: Mapping[str, str]) -> str:
    """Return pipeline_manifest.xml with one or several sessions; blocks are dealt out over them."""
    stem = f"member.{dataset.mous.name}"
    names = [block.eb.name for block in dataset.blocks]
    sessions = []
    for number, (session, file) in enumerate(tables.items()):
        blocks = "\n".join(
            f"""      <asdm name="{name}">
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
    <piperestorescript name="{stem}.{recipe}.casa_piperestorescript.py"/>
    <pprequest name="{stem}.{recipe}.pprequest.xml"/>
    <weblog name="{stem}.{recipe}.weblog.tgz"/>
    <aux_products_file name="{stem}.{recipe}.auxproducts.tgz"/>
  </ous>
</piperesults>
"""
