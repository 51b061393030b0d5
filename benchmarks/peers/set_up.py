"""Installs what `benchmarks/orchestration.py` measures beside retroweave, each into a virtual environment of its own.

    python benchmarks/peers/set_up.py
    python benchmarks/peers/set_up.py --into /tmp/peers curator distilabel

Their dependencies contradict each other and ours, so they share nothing; together they take 2.3 GB. A peer that cannot
be installed is named, and the others are installed all the same. The versions are those that were measured.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

PEERS_FOLDER = Path(__file__).parent.parent.parent / ".peers"
NEEDED_GB = 4
BARE = "aiohttp"

PEERS: dict[str, tuple[str, ...]] = {
    "curator": ("bespokelabs-curator==0.1.31",),
    # Its HTTP client looks for sniffio at every request, and looks through all of sys.path where there is none.
    "data-designer": ("data-designer==0.9.7", "sniffio"),
    # It imports requests without saying so.
    "distilabel": ("distilabel[openai]==1.5.3", "openai>=3", "requests"),
    # No framework, but the measure of all: the least that a client can do.
    BARE: ("aiohttp==3.14.5", "orjson"),
}
"""What is installed for each, the framework itself first."""

# None of them needs torch to talk to a server. Should a release want it, the installation fails here, and no build for
# CUDA of several GB comes down.
CONSTRAINTS = "torch<0\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Install the peers of the benchmark of orchestration.")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; all where none is named")
    parser.add_argument("--into", type=Path, default=PEERS_FOLDER, help="the folder of their environments")
    options = parser.parse_args()
    strange = set(options.peers) - PEERS.keys()
    if strange:
        parser.error(f"no such peer: {', '.join(sorted(strange))}. There are {', '.join(PEERS)}.")
    options.into.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(options.into).free / 1e9
    if free < NEEDED_GB:
        raise SystemExit(f"Expected {NEEDED_GB} GB free at {options.into}, found {free:.1f}. Name another with --into.")
    failed = [name for name in options.peers or PEERS if not install(name, options.into / name)]
    if failed:
        raise SystemExit(f"Not installed: {', '.join(failed)}. The benchmark leaves them out and says so.")


def install(name: str, folder: Path) -> bool:
    """Whether it is there now. Pip tells what is wrong by itself."""
    print(f"{name}: {' '.join(PEERS[name])} into {folder}", flush=True)
    venv.create(folder, with_pip=True)
    with TemporaryDirectory() as around:
        constraints = Path(around, "constraints.txt")
        constraints.write_text(CONSTRAINTS)
        pip = [str(python_of(folder)), "-m", "pip", "install", "--quiet", "--constraint", str(constraints)]
        return subprocess.run([*pip, *PEERS[name]], check=False, stdout=sys.stderr).returncode == 0


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


if __name__ == "__main__":
    main()
