"""What the tests of embedded models share: the weights, fetched once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from retroweave.models.weights import fetch
from retroweave.pipeline.model import Unusable


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The weights of embedded:smollm2, in the user's cache. Where they cannot be had, only CI calls it a failure."""
    try:
        return fetch("smollm2", lambda progress: None)
    except Unusable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"no weights for the embedded model: {error}")
