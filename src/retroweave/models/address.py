"""Where a model is: the `NAME@URL` of `openai:NAME@URL`, and what stands below that URL."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from retroweave.pipeline.errors import UserError

__all__ = ["PATHS", "PUBLIC", "address"]

PUBLIC = "https://api.openai.com/v1"
PATHS = {"chat": "/chat/completions", "complete": "/completions", "embed": "/embeddings"}


def address(name: str) -> tuple[str, str]:
    """The model's name and the base URL of `NAME@URL`; without `@URL`, that of OpenAI.

    The name itself may hold `@`, `/` and `:`. Raises `UserError` where it is none.
    """
    model, at, url = _parted(name)
    if not model:
        raise UserError(
            f"'openai:{name}' names no model. Say openai:NAME@URL, e.g. openai:qwen@http://127.0.0.1:8000/v1."
        )
    if not at:
        _no_bare_host(name)
        return model, PUBLIC
    return model, _checked(url, name)


def _parted(name: str) -> tuple[str, str, str]:
    places = [found.start() for found in re.finditer(r"@(?=https?://)", name, re.IGNORECASE)]
    return (name[: places[-1]], "@", name[places[-1] + 1 :]) if places else (name, "", "")


def _no_bare_host(name: str) -> None:
    """A host without `http://` would be taken for a part of the name, and the name be sent to OpenAI."""
    after = name.rpartition("@")[2]
    if "@" in name and re.fullmatch(
        r"(localhost|[\w.-]+:\d+|\d+(\.\d+){3}|([\w-]+\.)+[a-z]{2,}(?=/))(:\d+)?(/.*)?", after
    ):
        raise UserError(f"'openai:{name}': the URL after the @ begins with http:// or https://: say @http://{after}.")


def _checked(url: str, name: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise UserError(f"'openai:{name}': {url!r} is no URL: {error}.") from error
    if not host or re.search(r"\s", url):
        raise UserError(f"'openai:{name}': {url!r} is no URL with a host, like http://127.0.0.1:8000/v1.")
    if parts.username or parts.password:
        raise UserError(
            f"The URL of the model {name.partition('@')[0]!r} holds a user or a password. Put the key into an "
            "environment variable, and its name under `key:` in the config's models table."
        )
    if parts.query or parts.fragment:
        raise UserError(f"'openai:{name}': a base URL has no ? and no #; it usually ends in /v1.")
    base = url.rstrip("/")
    for path in PATHS.values():
        if base.endswith(path):
            raise UserError(f"'openai:{name}': the base URL is wanted, without {path}: {base.removesuffix(path)}.")
    return base
