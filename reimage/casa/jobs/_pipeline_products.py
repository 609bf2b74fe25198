"""Images of the pipeline before they are exported, and files after: signed, and looked at.

Python 2 and 3, as `_pipeline_steps`.
"""

import os

import _fits


def sign(casa, records, keywords):
    """Put keywords into the images that are about to be exported: exportfits writes them as cards."""
    stems = set(one["stem"] for record in records for one in record["images"] if one.get("stem"))
    for name in sorted(os.listdir(".")) if keywords else ():
        is_ours = any(name.startswith(stem + ".iter") for stem in stems)
        if is_ours and os.path.isdir(name) and not os.path.islink(name):
            tool = casa.image()
            try:
                tool.open(name)
                known = tool.miscinfo()
                known.update(keywords)
                tool.setmiscinfo(known)
            except RuntimeError:  # not an image: weights and tables lie beside them
                pass
            finally:
                tool.done()


def check(products):
    """Every file in ``products``: its size, and what is wrong with it if it is a FITS image."""
    found = {}
    for name in sorted(os.listdir(products)):
        path = os.path.join(products, name)
        if os.path.isfile(path):
            found[name] = {"bytes": os.path.getsize(path), "wrong": wrong_with(path)}
    return found


def wrong_with(path):
    """Why a FITS image is not sound; None if it is, or is no FITS image."""
    if not path.endswith(".fits"):
        return None
    try:
        _fits.check_fits(path, beam="pbcor" in os.path.basename(path))
    except Exception as error:  # whatever a damaged header leads to is the reason
        return "%s: %s" % (type(error).__name__, error)
    return None
