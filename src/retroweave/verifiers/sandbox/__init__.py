"""A sandbox for Python code that nobody trusts: a fork server behind every layer that the kernel has.

`open_sandbox` gives one, or says which property cannot be had here. `docs/security.md` says what it holds and what not.
"""

from __future__ import annotations

from retroweave.verifiers.sandbox.describing import describe_sandbox
from retroweave.verifiers.sandbox.local import LocalSandbox, open_sandbox

__all__ = ["LocalSandbox", "describe_sandbox", "open_sandbox"]
