"""What transfers cost, beside `curl` and `aria2c` in the same run, in ratios against limits: `make bench-fetch`.

Our own archive server (`reimage archive serve`) in a process of its own serves over loopback
1. one file of 2 GB: we (streamed, hashed, one connection), `curl` (not hashed), `aria2c -x4` (four connections,
   not hashed);
2. 500 files of 100 kB: we with four connections, `curl --parallel --parallel-max 4`, `aria2c -x4 -j4`.
Rounds are interleaved and the best of each is compared: what else runs on the machine only adds.  Our seconds
are those of `fetch_all` in a process of its own (a service has started long ago); theirs are those of the
process, whose start takes about 10 ms.  Told besides: hashing afterwards (what who wants a checksum of curl's
file adds), and our files from the cache.  Small files stay until the end: ext4 passes by inodes that were given
back within the last seconds, which with 500 of them took longer than the transfers.
Memory is the peak of the fetching process, interpreter included.
3. 50 000 rows of holdings through the served TAP into SQLite, by `reimage holdings sync`: rows/s and peak memory.

Server and client share the machine: on two cores the server is what limits all three.
Ends with 1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from fetch_archive import Listed, make_archive, make_rows

from reimage.archive.cache import sha256_of

LARGE_BYTES, SMALL_BYTES, SMALL_FILES = 2_000_000_000, 100_000, 500
ROWS_OF_HOLDINGS = 50_000
LARGE, MANY, MEMORY_MB = 0.95, 1.0, 100
ROUNDS = 3
CONNECTIONS = 4
LOOK_S = 0.02
MB = 1_000_000
LARGE_KIND, MANY_KIND = "large", "many"
FETCHER = """
import json, re, sys, time
from pathlib import Path
from reimage.archive.download import Transfers
from reimage.archive.listing import ArchiveFile
from reimage.credentials import Secrets
from reimage.run import Transfer
base, listed, folder, cache = sys.argv[1:]
files = [
    ArchiveFile(name=name, semantics="#this", content_type="", n_bytes=n, url=f"{base}/dataPortal/{name}")
    for name, n in json.loads(Path(listed).read_text())
]
transfers = Transfers(Transfer(cache=cache, cache_bytes=10**11), Secrets(), home=base)
began = time.perf_counter()
got = sum(1 for _ in transfers.fetch_all(files, Path(folder), lambda *_: None, dataset="bench"))
seconds = time.perf_counter() - began
assert got == len(files)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])  # of this program alone
print(json.dumps([seconds, peak / 1024]))
"""


@dataclass(frozen=True, kw_only=True)
class Best:
    """The fewest seconds that each took, and the most memory that we did."""

    seconds: dict[str, float]
    peak_mb: float


def main() -> int:
    """Measure all and print it; the exit code says whether every limit was kept."""
    asked = _arguments()
    for program in ("curl", "aria2c"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is missing: `make system` installs it")
    met = []
    with tempfile.TemporaryDirectory(prefix="reimage-bench-fetch-", dir=asked.place) as place:
        root = Path(place)
        large, many = make_archive(root / "archive", LARGE_BYTES, SMALL_BYTES, SMALL_FILES)
        with _served(root / "archive") as base:
            bench = Bench(root=root, base=base, rounds=asked.rounds)
            one = bench.compare(LARGE_KIND, large)
            met += [_told(f"one file of {LARGE_BYTES / MB:.0f} MB", one, LARGE_BYTES, LARGE)]
            several = bench.compare(MANY_KIND, many)
            total = SMALL_BYTES * SMALL_FILES
            met += [_told(f"{SMALL_FILES} files of {SMALL_BYTES // 1000} kB", several, total, MANY)]
            peak = max(one.peak_mb, several.peak_mb)
            met += [peak <= MEMORY_MB]
            print(f"memory    {peak:.0f} MB; limit {MEMORY_MB} MB; ratio {peak / MEMORY_MB:.2f}")
            hashing = bench.hashing(large)
            print(f"told      a checksum of the large file afterwards takes {hashing:.2f} s more")
            cached = bench.cached(many)
            print(f"told      the {SMALL_FILES} files from the cache: {cached:.2f} s, no request")
        make_rows(root / "archive", ROWS_OF_HOLDINGS)
        with _served(root / "archive") as base:
            seconds, peak = _synchronised(root, base)
        print(
            f"sync      {ROWS_OF_HOLDINGS} rows in {seconds:.1f} s: {ROWS_OF_HOLDINGS / seconds:.0f} rows/s,"
            f" peak {peak:.0f} MB (told, not judged)"
        )
    return 0 if all(met) else 1


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Three programs, one server."""

    root: Path
    base: str
    rounds: int

    def compare(self, name: str, files: Sequence[Listed]) -> Best:
        """Fetch the same files with each, in turns."""
        listed = self.root / f"{name}.json"
        listed.write_text(json.dumps([(file.name, file.n_bytes) for file in files]))
        programs: dict[str, Callable[[], float]] = {
            "curl": lambda: self._curl(files),
            "aria2c": lambda: self._aria2(files),
        }
        seconds: dict[str, list[float]] = {key: [] for key in ("reimage", *programs)}
        peaks = []
        for _ in range(self.rounds):
            taken, peak = self._reimage(listed)
            seconds["reimage"].append(taken)
            peaks.append(peak)
            for key, run in programs.items():
                seconds[key].append(run())
        return Best(seconds={key: min(all_) for key, all_ in seconds.items()}, peak_mb=max(peaks))

    def _reimage(self, listed: Path, cache: str = "") -> tuple[float, float]:
        with self._folder(listed.stem) as folder:
            said = subprocess.run(
                [sys.executable, "-c", FETCHER, self.base, str(listed), str(folder), cache],
                check=True,
                text=True,
                stdout=subprocess.PIPE,
            ).stdout
        seconds, peak = json.loads(said)
        return float(seconds), float(peak)

    def _curl(self, files: Sequence[Listed]) -> float:
        config = self.root / "curl.cfg"
        with self._folder(_kind(files)) as folder:
            config.write_text(
                "".join(
                    f'url = "{self._url(file)}"\noutput = "{folder / file.name}"\n'
                    for file in files
                )
            )
            parallel = ["--parallel", "--parallel-max", str(CONNECTIONS)] if files[1:] else []
            return self._timed(["curl", "-sS", *parallel, "-K", str(config)], folder, files)

    def _aria2(self, files: Sequence[Listed]) -> float:
        urls = self.root / "urls"
        urls.write_text("".join(f"{self._url(file)}\n" for file in files))
        with self._folder(_kind(files)) as folder:
            count = str(CONNECTIONS)
            options = ["-q", "-x", count, "-s", count, "-j", count, "--file-allocation=none"]
            return self._timed(
                ["aria2c", *options, "-d", str(folder), "-i", str(urls)], folder, files
            )

    def _timed(self, command: Sequence[str], folder: Path, files: Sequence[Listed]) -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        if any((folder / file.name).stat().st_size != file.n_bytes for file in files):
            raise SystemExit(f"{command[0]} did not fetch everything")
        return seconds

    def hashing(self, files: Sequence[Listed]) -> float:
        """Return the seconds of reading and hashing files that are in memory."""
        began = time.perf_counter()
        for file in files:
            sha256_of(self.root / "archive/dataPortal" / file.name)
        return time.perf_counter() - began

    def cached(self, files: Sequence[Listed]) -> float:
        """Return the seconds of a second fetch with the cache."""
        listed, cache = self.root / "cached.json", str(self.root / "cache")
        listed.write_text(json.dumps([(file.name, file.n_bytes) for file in files]))
        self._reimage(listed, cache)
        return self._reimage(listed, cache)[0]

    def _url(self, file: Listed) -> str:
        return f"{self.base}/dataPortal/{file.name}"

    @contextmanager
    def _folder(self, kind: str) -> Iterator[Path]:
        """Give a new folder; before it, let the disk have what is still to be written."""
        os.sync()
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=self.root))
        try:
            yield folder
        finally:
            if kind == LARGE_KIND:
                shutil.rmtree(folder)


def _kind(files: Sequence[Listed]) -> str:
    return MANY_KIND if files[1:] else LARGE_KIND


def _told(what: str, best: Best, n_bytes: int, limit: float) -> bool:
    ours = best.seconds["reimage"]
    peer = min((seconds, key) for key, seconds in best.seconds.items() if key != "reimage")
    ratio = peer[0] / ours
    rates = ", ".join(
        f"{key} {seconds:.2f} s ({n_bytes / seconds / MB:.0f} MB/s)"
        for key, seconds in best.seconds.items()
    )
    print(f"fetch     {what}: {rates}; {ratio:.2f} x {peer[1]}, at least {limit}", flush=True)
    return ratio >= limit


@contextmanager
def _served(archive: Path) -> Iterator[str]:
    """Serve an archive directory in a process of its own; give its address."""
    command = [sys.executable, "-m", "reimage", "archive", "serve", str(archive), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            raise SystemExit("the server says nothing")
        try:
            words = server.stdout.readline().split()
            yield next(word for word in words if word.startswith("http://"))
        finally:
            server.terminate()


def _synchronised(root: Path, base: str) -> tuple[float, float]:
    """Return seconds and peak memory (MB) of a first synchronisation, process and all."""
    config = root / "reimage.toml"
    config.write_text(f'archive = "{base}"\ndata = "data"\ncache = "cache"\n')
    command = [sys.executable, "-m", "reimage", "--config", str(config)]
    subprocess.run([*command, "db", "upgrade"], check=True, stdout=subprocess.DEVNULL)
    began, peak = time.perf_counter(), 0.0
    with subprocess.Popen(
        [*command, "holdings", "sync", "--json"], stdout=subprocess.PIPE, text=True
    ) as child:
        watched = psutil.Process(child.pid)
        while child.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss / (1 << 20))
            except psutil.NoSuchProcess:
                break
            time.sleep(LOOK_S)
        said = child.stdout.read() if child.stdout is not None else ""
    seconds = time.perf_counter() - began
    if child.returncode:
        raise SystemExit(f"holdings sync left with {child.returncode}: {said[-300:]}")
    return seconds, peak


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--place", type=Path, help="where the files go; otherwise the system's")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
