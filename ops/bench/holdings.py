"""What a synchronisation of holdings costs: a synthetic archive, served by TAP, mirrored by our command.

    .venv/bin/python ops/bench/holdings.py [--rows 50000] [--json]

The archive's server and the synchronisation are processes of their own; rows a second and peak
memory are the synchronisation's, from its start to its end.  A second one, of what changed since
then (nothing), and a second whole one (nothing to write) are measured beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROWS_OF_A_DATASET = 16
"""Four windows, four executions."""
DATASETS_OF_A_PROJECT = 5
REIMAGE = [sys.executable, "-m", "reimage"]


def make_archive(root: Path, n_rows: int) -> int:
    """Write an archive directory whose holdings have so many rows; return how many datasets."""
    from astropy.table import Table  # noqa: PLC0415 -- only the process that makes it pays for it

    (root / "dataPortal").mkdir(parents=True)
    rows = [_row(number) for number in range(n_rows)]
    Table(rows=rows).write(root / "holdings.ecsv", format="ascii.ecsv")
    names = ("member_ous_uid", "filename", "semantics", "content_type", "content_length")
    listed = [("uid://A001/X0/X0", "README.txt", "#documentation", "text/plain", 5)]
    (root / "dataPortal" / "README.txt").write_bytes(b"hello")
    Table(rows=listed, names=names).write(root / "files.ecsv", format="ascii.ecsv")
    return len({row["member_ous_uid"] for row in rows})


def measure(n_rows: int) -> dict[str, Any]:
    """Synchronise a synthetic archive; return rows a second and peak memory, by what was done."""
    with tempfile.TemporaryDirectory(prefix="reimage-bench-") as place:
        folder = Path(place)
        n_datasets = _made(folder / "archive", n_rows)
        with _served(folder / "archive") as address:
            config = folder / "reimage.toml"
            config.write_text(f'data = "data"\narchive = "{address}"\n', encoding="utf-8")
            command = [*REIMAGE, "--config", str(config)]
            subprocess.run([*command, "db", "upgrade"], check=True, capture_output=True)
            found = {
                "first": _sync(command),
                "since": _sync(command),
                "again": _sync([*command], "--full"),
            }
        counts = found["first"]["counts"]
        if counts["added"] != n_datasets:
            raise RuntimeError(f"{n_datasets} datasets were listed: {counts}")
    return {"rows": n_rows, "datasets": n_datasets, **found}


def _made(root: Path, n_rows: int) -> int:
    """Make it in another process: a child's peak begins with that of its parent."""
    program = "import sys; from pathlib import Path; from holdings import make_archive; "
    program += "print(make_archive(Path(sys.argv[1]), int(sys.argv[2])))"
    command = [sys.executable, "-c", program, str(root), str(n_rows)]
    return int(subprocess.check_output(command, cwd=Path(__file__).parent, text=True))


def _sync(command: list[str], *options: str) -> dict[str, Any]:
    """Run a synchronisation to its end; its memory is asked of the system."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [*command, "holdings", "sync", "--json", *options], stdout=subprocess.PIPE
    )
    text = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"the synchronisation ended with {process.returncode}")
    shown = json.loads(text)
    wall_s = time.monotonic() - begun
    return {
        "counts": shown["counts"],
        "rows": shown["rows"],
        "wall_s": round(wall_s, 2),
        "rows_s": round(shown["rows"] / wall_s),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1000),
    }


@contextmanager
def _served(root: Path) -> Iterator[str]:
    command = [*REIMAGE, "archive", "serve", str(root), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        lines = iter(server.stdout or ())
        found = next(filter(None, (re.search(r"http://[\d.]+:\d+", line) for line in lines)))
        try:
            yield found[0]
        finally:
            server.terminate()


def _row(number: int) -> dict[str, Any]:
    """Return one row as the archive has them: a project every five datasets, cycles 1 to 8."""
    dataset, window = divmod(number, ROWS_OF_A_DATASET)
    project, target = divmod(dataset, DATASETS_OF_A_PROJECT)
    year = (2012, 2013, 2015, 2016, 2017, 2018, 2019, 2021)[project % 8]
    low = 85.0 + 2 * (window % 4)
    support = " U ".join(
        f"[{edge:.2f}..{edge + 1.98:.2f}GHz,1952.95kHz,8mJy/beam@10km/s,360.2uJy/beam@native, XX YY]"
        for edge in (85.0, 87.0, 89.0, 91.0)
    )
    ra, dec = (number * 0.013) % 360, -60 + (number * 0.0007) % 80
    corners = " ".join(f"{ra + i * 0.001:.6f} {dec + i * 0.001:.6f}" for i in range(12))
    uid = f"uid://A001/X{dataset:x}/X1"
    return {
        "obs_publisher_did": f"ADS/JAO.ALMA#{year}.1.{project:05d}.S",
        "obs_id": f"{uid}.source.T{target}.spw.{window % 4}",
        "member_ous_uid": uid,
        "group_ous_uid": f"uid://A001/X{dataset:x}/X0",
        "asdm_uid": f"uid://A002/X{dataset:x}/X{window // 4:x}",
        "proposal_id": f"{year}.1.{project:05d}.S",
        "target_name": f"T{target}",
        "s_ra": ra, "s_dec": dec, "s_fov": 0.016, "s_region": f"Polygon ICRS {corners}",
        "t_min": 56000.0 + dataset % 4000, "t_max": 56000.1 + dataset % 4000, "t_exptime": 300.0,
        "em_min": 0.299792458 / (low + 1.98), "em_max": 0.299792458 / low,
        "frequency": low + 0.99, "bandwidth": 1.98e9, "frequency_support": support,
        "band_list": "3", "is_mosaic": "TF"[dataset % 2], "pol_states": "/XX/YY/",
        "antenna_arrays": " ".join(f"A{pad:03d}:DV{pad:02d}" for pad in range(43)),
        "spatial_resolution": 1.2, "spatial_scale_max": 20.0, "schedblock_name": "T_a_03_TM1",
        "science_observation": "T", "science_keyword": "Spiral galaxies",
        "scientific_category": "Local Universe", "data_rights": "Public", "qa2_passed": "T",
        "obs_release_date": "2020-01-01T00:00:00.000", "lastModified": "2025-07-01T00:00:00.000",
        "access_url": f"https://almascience.org/datalink/sync?ID={uid}",
        "access_format": "application/x-votable+xml; content=datalink", "access_estsize": 2_000_000,
    }  # fmt: skip


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    found = measure(options.rows)
    if options.as_json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['rows']} rows of {found['datasets']} datasets")
    for name, title in (
        ("first", "into an empty mirror"),
        ("since", "what changed"),
        ("again", "all again"),
    ):
        print(_line(title, found[name]))


def _line(title: str, one: Mapping[str, Any]) -> str:
    speed = f"{one['rows_s']:>7} rows/s" if one["rows"] else " " * 14
    return f"  {title:<22}{one['wall_s']:>7.1f} s {speed}  cpu {one['cpu_s']:>6.1f} s  peak {one['peak_mb']} MB"


if __name__ == "__main__":
    main()
