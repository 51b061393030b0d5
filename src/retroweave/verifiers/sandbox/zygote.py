"""The fork server's start: Python warmed up once and shut in. What it does then is in `serving.py`.

Standard library only; see `boot.py` for how it starts.
"""

from __future__ import annotations

import gc
import importlib
import json
import marshal
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from retroweave.verifiers.sandbox import gaps, seccomp
from retroweave.verifiers.sandbox.frames import FRAME
from retroweave.verifiers.sandbox.layers import (
    LANDLOCK,
    NAMESPACES,
    RLIMITS,
    ROOT,
    SECCOMP,
    SERVER_LIMITS,
    Layers,
    is_open_to_all,
)

if TYPE_CHECKING:
    from retroweave.verifiers.sandbox.serving import Server

__all__ = ["main"]

CONTROL = 3
_ALWAYS = "bisect collections copy functools heapq itertools json math operator random re string typing"
"""What sources import most. Another one is read from disk by the child that wants it, in a millisecond or some."""
_BEFORE_THE_DOOR_CLOSES = (
    "abc array ast base64 binascii calendar cmath collections.abc contextlib dataclasses datetime decimal difflib enum "
    "fractions graphlib hashlib inspect keyword numbers pprint queue secrets statistics struct textwrap time types "
    "unicodedata uuid zlib"
)
"""Modules to load where none can be read from disk later."""


_SERVING = "retroweave.verifiers.sandbox.serving"
_WITNESS = "retroweave.verifiers.sandbox.witness"
"""Only the server of test code needs it, and what it imports would be in each fork of the others."""


def main(settings: dict[str, Any]) -> None:
    """Shut this process in, say what holds, and serve until the parent is gone."""
    os.dup2(0, CONTROL)
    nothing = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(CONTROL + 1, 1024)
    try:
        server = _shut_in(settings)
    except BaseException:
        import traceback  # heavy, and else in each fork

        _send(b"f", traceback.format_exc().encode())
        raise
    gc.disable()
    gc.collect()
    gaps.fill()
    gc.freeze()
    server.serve()


def _shut_in(settings: dict[str, Any]) -> Server:
    os.chdir("/")
    os.environ.clear()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _load(f"{_ALWAYS} {_SERVING} {_WITNESS if settings['testing'] else ''}")
    layers = Layers(settings["without"], before_losing_rights=_load_what_only_root_reads)
    layers.apply(settings["visible"])
    blind = ROOT not in layers.on and LANDLOCK not in layers.on
    if blind:
        _load(_BEFORE_THE_DOOR_CLOSES)
    layers.cap(SERVER_LIMITS)
    refused = set(seccomp.CHILD_REFUSED)
    allowed = seccomp.CALLS | seccomp.OPENING | seccomp.SERVER
    layers.close(allowed)
    on = SECCOMP in layers.on
    if blind and on:
        refused |= seccomp.OPENING
    # In a namespace of its own the server is deaf to its children, which may start none. A filter for each child costs
    # a fifth of a millisecond there, and holds nothing that does not hold already.
    on = on and (blind or NAMESPACES not in layers.on or RLIMITS not in layers.on)
    said = {"on": layers.on, "off": layers.off, "blind": blind, "library": _reads_its_library()}
    child_filter = seccomp.Loaded(seccomp.refuse_list(refused)) if on else None
    server: Server = sys.modules[_SERVING].Server(child_filter)
    server.rehearse(_rehearsal(), _REHEARSALS)
    _send(b"h", json.dumps(said).encode())
    return server


def _rehearsal() -> bytes:
    """A request like any other, for a source of ours."""
    calls = [marshal.dumps(([[number, str(number), (1.5,)]], {}), 2) for number in range(10)]
    return marshal.dumps(("calls", ("", 1 << 16, 1000, False, False), [_REHEARSED], "f", calls, 0))


_REHEARSALS = 50
_REHEARSED = """
def f(items):
    if items[0] > 8:
        raise ValueError(items)
    found = {}
    for item in items:
        found[item] = [item, str(item)]
    return found
"""


def _load(names: str) -> None:
    """Import modules, but not what they would do in each fork: `random` draws a new seed, and is given one anyway."""
    register = os.register_at_fork
    os.register_at_fork = lambda **hooks: None
    try:
        for name in names.split():
            importlib.import_module(name)
    finally:
        os.register_at_fork = register


def _load_what_only_root_reads() -> None:
    if not is_open_to_all(os.path.dirname(os.__file__)):  # noqa: PTH120
        _load(_BEFORE_THE_DOOR_CLOSES)


def _reads_its_library() -> bool:
    return os.access(os.__file__, os.R_OK)


def _send(kind: bytes, data: bytes) -> None:
    rest = memoryview(FRAME.pack(kind, len(data)) + data)
    while rest:
        rest = rest[os.write(CONTROL, rest) :]
