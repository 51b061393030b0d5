"""How the parent and its fork server part what they write to each other. Nothing but the layout of bytes.

A request is a header, and what only the child reads: a body, and its length before it. An answer is frames, each a
kind and a length: `d` what the child wrote, and one `e` for its end. In a conversation the parent sends frames too: `d`
for the child to read, and at last one `k`, which ends the child if it has not ended. At its start the server sends `h`
with its layers, or `f`.
"""

from __future__ import annotations

import struct

__all__ = ["END", "FRAME", "HEADER", "LENGTH"]

HEADER = struct.Struct("<IdIQIB")
"""Bytes of the body, seconds, processor seconds, bytes of memory, bytes to bring back at most, conversation."""
FRAME = struct.Struct("<cI")
END = struct.Struct("<ci")
"""Why it ended (x of itself, t time, o output, k on order, g the parent is gone) and the status that `wait` gives."""
LENGTH = struct.Struct("<I")
"""Bytes of a request, before it in the pipe to the child."""
