"""The server of the review page: on this machine alone, on a port that is free, behind a link that holds a token."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from retroweave.pipeline.errors import UserError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["serve"]

HOST = "127.0.0.1"
_PATIENCE = 2
"""Seconds that an answer under way is waited for when the server is to end."""


def serve(app: ASGIApp, *, port: int, browser: bool, tell: Callable[[str], None]) -> None:
    """Serve `app` until Ctrl-C, and `tell` the link to it. Port 0 is any that is free.

    Raises `UserError` where the port is taken.
    """
    import uvicorn

    from retroweave.review.guard import Guard

    # uvicorn ends in order at Ctrl-C, and then raises what it was stopped by.
    with suppress(KeyboardInterrupt), _listening(port) as listening:
        port = listening.getsockname()[1]
        token = secrets.token_urlsafe(32)
        link = f"http://{HOST}:{port}/?token={token}"
        config = uvicorn.Config(
            Guard(app, port=port, token=token),
            log_level="warning",
            access_log=False,  # addresses hold the token once, and what was searched for
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
            lifespan="off",
        )
        logging.getLogger("uvicorn.error").addFilter(_is_no_end)
        tell(link)
        if browser and _has_screen():
            webbrowser.open(link)
        uvicorn.Server(config).run(sockets=[listening])


def _is_no_end(record: logging.LogRecord) -> bool:
    """Whether more is told than that answers under way were called off when the server ended, as it was asked to."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError | KeyboardInterrupt) and "Cancel %s" not in str(record.msg)


def _listening(port: int) -> socket.socket:
    """It listens at once, so that whoever is told of the link may come before the server stands."""
    try:
        return socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        raise UserError(
            f"Port {port} of {HOST} cannot be had: {error.strerror}. Name another with --port, or leave it out for "
            "one that is free."
        ) from error


def _has_screen() -> bool:
    """Where there is none, a text browser would take the terminal over."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
