"""HTTP to one server, and the one place that knows the library which speaks it.

A request is sent once, and its outcome is a value: a reply, or why there is none. The library's own errors, which hold
what was sent, go no further.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from retroweave.pipeline.model import Unusable

if TYPE_CHECKING:
    from pyreqwest.client import Client
    from pyreqwest.request import RequestBuilder

__all__ = ["LARGEST", "Broken", "Connections", "Reply"]

LARGEST = 32 << 20
"""Bytes of a response; an answer has a few thousand."""
IDLE = 4.0
"""Seconds for which an unused connection is kept. uvicorn, Node and llama.cpp close theirs after 5; a request that is
sent just then is lost, and may have been paid for."""
LONGEST = 7 * 86_400.0
"""Seconds for one request; beyond some length a timeout has no end, and then no number either."""
FILES = 64
"""What a run has open beside connections: journals, data, the modules that are imported on the way."""
ENOUGH = 10_240
"""As many open files as macOS lets a process have; it begins with 256, and Linux with 1024."""

OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL}
"""Why this machine itself cannot connect: it has too many connections."""

_SYSTEM_ERROR = re.compile(r" \(os error (\d+)\)")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str | None:
        """What a header says. One that is not of ASCII says nothing: the library does not tell it."""
        try:
            return self.headers.get(name)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Broken:
    """No response came, or not a whole one."""

    why: str
    found_nobody: bool = False
    """Whether no connection came about, and this machine was not to blame for that."""
    timed_out: bool = False


class Connections:
    """Those to one server."""

    def __init__(self, url: str, key: str) -> None:
        """Opens none yet. Raises `Unusable` where none can be opened to such a URL, or from this machine."""
        self._url = url
        self._client = _client(url, key)

    async def post(self, path: str, data: bytes, timeout: float) -> Reply | Broken:
        """The response to JSON within `timeout` seconds."""
        return await _sent(self._client.post(self._url + path).body_bytes(data), timeout)

    async def get(self, path: str, timeout: float) -> Reply | Broken:
        return await _sent(self._client.get(self._url + path), timeout)

    async def close(self) -> None:
        await self._client.close()


def _client(url: str, key: str) -> Client:
    from pyreqwest.client import ClientBuilder
    from pyreqwest.exceptions import BuilderError
    from pyreqwest.http import Url

    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    try:
        Url(url)
    except ValueError as error:
        raise Unusable(f"{url} is no URL that can be asked: {error}. Correct the URL after the @.") from error
    builder = (
        ClientBuilder()
        .user_agent("retroweave")
        .default_headers(headers)
        .follow_redirects(enable=False)
        .no_proxy()
        .max_connections(_room())
        .pool_idle_timeout(timedelta(seconds=IDLE))
        # No certificate is looked at over http:, and so a machine without any can do that.
        .danger_accept_invalid_certs(urlsplit(url).scheme == "http")
    )
    try:
        return builder.build()
    except BuilderError as error:
        raise Unusable(
            f"No connection to {url} can be made from this machine: {_why(error)}. Install its certificates (the "
            "package ca-certificates), or name their file in SSL_CERT_FILE."
        ) from error


def _room() -> int | None:
    """How many connections may be under way at once, for the process to have files left; `None` without a limit.

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


async def _sent(request: RequestBuilder, timeout: float) -> Reply | Broken:
    from pyreqwest.exceptions import PyreqwestError

    try:
        async with request.timeout(timedelta(seconds=min(timeout, LONGEST))).build_streamed() as response:
            body = bytes(await response.body_reader.read(LARGEST + 1) or b"")
            if len(body) > LARGEST:
                return Broken(f"the answer is longer than {LARGEST >> 20} MiB")
            return Reply(response.status, response.headers, body)
    except (PyreqwestError, ValueError) as error:
        return Broken(_why(error), _found_nobody(error), isinstance(error, TimeoutError))


def _causes(error: Exception) -> list[str]:
    """What an error of the library says of its causes, the last one the first in time."""
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()]


def _first_cause(error: Exception) -> str:
    said = str(error.args[0]) if error.args else ""  # behind it stand the details, once more
    return (_causes(error) or [said or type(error).__name__])[-1]


def _why(error: Exception) -> str:
    return _SYSTEM_ERROR.sub("", _first_cause(error))


def _found_nobody(error: Exception) -> bool:
    """The library's class for an error in connecting counts those too that break soon after."""
    number = _SYSTEM_ERROR.search(_first_cause(error))
    return "client error (Connect)" in _causes(error) and (number is None or int(number[1]) not in OURS)
