"""The sandboxes of a pipeline: opened in each process when a step first needs them, and closed when it ends.

A pipeline is built in the parent and again in every worker, and often only to be looked at, so that its resource holds
no process: it is known by what it asks for, and what it stands for is shared by all that ask for the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from retroweave.verifiers.sandbox.local import LocalSandbox, open_sandbox

__all__ = ["Sandboxes"]


@cache
def _opened(unsafe: bool, hash_seed: int) -> LocalSandbox:
    return open_sandbox(unsafe, hash_seed=hash_seed)


@dataclass(frozen=True)
class Sandboxes:
    """Two sandboxes whose sets of texts have different orders: what hangs on that order shows."""

    unsafe: bool = False
    """Whether to go on without what cannot be had on this machine."""

    @property
    def one(self) -> LocalSandbox:
        """Raises `UserError` with the property that cannot be had."""
        return _opened(self.unsafe, 0)

    @property
    def other(self) -> LocalSandbox:
        return _opened(self.unsafe, 1)

    def fingerprint(self) -> str:
        """Nothing of its own: the code is in the run's fingerprint, and what holds a call changes no outcome of it."""
        return "the sandboxes"

    def manifest(self) -> Mapping[str, Any]:
        """What held untrusted code, property by property, and which layers could not be had and why."""
        one = self.one
        return {"layers": dict(one.layers), "not_on": dict(one.missing), "unsafe": self.unsafe}
