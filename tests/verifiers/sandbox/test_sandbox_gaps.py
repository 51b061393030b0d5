"""Filled gaps: what is allocated next lies side by side, so that a forked child writes to few pages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from retroweave.verifiers.sandbox import gaps

SCRIPT = """
import json, sys
sys.path.insert(0, {folder!r})
import gaps
holes = [bytes(95) for _ in range(20_000)]
large = [bytes(3_000) for _ in range(2_000)]
del holes[::7], large[::7]
if {filled}:
    gaps.fill()
found = {{}}
for size in (95, 3_000):
    made = [bytes(size) for _ in range(10)]
    places = sorted(map(id, made))
    found[size] = places[-1] - places[0]
print(json.dumps(found))
"""


def spans(filled: bool) -> dict[str, int]:
    """How far apart ten new blocks of a size lie, in a process whose memory is full of holes."""
    script = SCRIPT.format(folder=str(Path(gaps.__file__).parent), filled=filled)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere allocators are others")
def test_blocks_lie_side_by_side_once_gaps_are_filled() -> None:
    before, after = spans(filled=False), spans(filled=True)
    for size, most in (("95", 16 * 128), ("3000", 16 * 3_072)):
        assert before[size] > most >= after[size]
