"""How many connections this process may hold open: as many as leave it the files that it needs itself."""

from __future__ import annotations

__all__ = ["room"]

FILES = 64
"""What a run has open beside them: journals, data, the modules that are imported on the way."""
ENOUGH = 10_240
"""As many open files as macOS lets a process have; it begins with 256, and Linux with 1024."""


def room() -> int | None:
    """How many connections may be under way at once; `None` where there is no limit.

    A process that begins with fewer open files than it may have takes what it may. Half of them are left: for another
    model, and for connections that stand idle or came about too late for the request that wanted them.
    """
    try:
        import resource
    except ImportError:  # Windows knows no such limit
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return None if soft == resource.RLIM_INFINITY else max(1, (soft - FILES) // 2)
