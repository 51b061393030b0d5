"""The door of the review page: who may ask, and what a browser may do with the answers.

The server listens on this machine alone, but every page in the browser can send requests there, and so can every other
user of the machine. So each request must name this server in `Host` (a name that was rebound to 127.0.0.1 is another
one), must come from a page of this server where it changes anything, and must bring the token of the link that the
command printed: once in the address, then in a cookie. What goes out may load only what this server itself serves, runs
no inline script, and is shown in nobody's frame.

It does not encrypt, and it does not keep out who runs programs under the same user: such a one can read the files.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LONGEST_BODY", "Guard"]

LONGEST_BODY = 4 * 1024 * 1024
"""Bytes that a request may send. The longest thing that a person sends is a prompt."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: with it a browser sends `Origin: null` with a form, and a form of ours looks like a stranger's.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}

LOST = (
    "This page belongs to a review that was opened with another link. Open the link that `retroweave review` printed "
    "when it was started; it holds the token that this page wants."
)


class Guard:
    """Lets through to `app` what comes by the link of this server, which listens on `port` and has this `token`."""

    def __init__(self, app: ASGIApp, *, port: int, token: str) -> None:
        self._app = app
        self._token = token
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._cookie = f"retroweave-{port}"
        """A browser keeps cookies by host and not by port: two reviews at once must not take each other's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if refused := self._refused(scope, headers):
            await _answer(send, *refused)
        elif (given := _token_in(scope)) is not None and scope["method"] == "GET":
            await self._let_in(send, scope, given)
        elif not self._is_known(headers):
            await _answer(send, 403, LOST)
        else:
            await self._app(scope, _measured(receive), _sealed(send))

    def _refused(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, f"This server is http://{self._hosts[0]} and answers to no other name."
        origin = headers.get("origin")
        is_read = scope["method"] in ("GET", "HEAD")
        if origin != f"http://{host}" and (origin is not None or not is_read):
            return 403, "This request comes from a page of another origin, or from no page at all."
        if not is_read and headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, "This request comes from a page of another site."
        if int(headers.get("content-length", "0") or 0) > LONGEST_BODY:
            return 413, f"A request may hold {LONGEST_BODY:,} bytes and no more."
        return None

    def _is_known(self, headers: dict[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _let_in(self, send: Send, scope: Scope, given: str) -> None:
        """Keep the token in a cookie, and go on to the same address without it.

        By a page that refreshes itself and not by a redirect: where the link stood on another site, a redirect would
        still count as that site's request, and a strict cookie would not be sent with it.
        """
        if not self._is_token(given):
            await _answer(send, 403, LOST)
            return
        rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
        path = scope["path"] if scope["path"].startswith("/") and not scope["path"].startswith("//") else "/"
        address = _quoted(path + ("?" + rest if rest else ""))
        body = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>retroweave review</title>'
            f'<meta http-equiv="refresh" content="0; url={address}"><p><a href="{address}">Go on to the review</a></p>'
        )
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 200, body, kind="text/html; charset=utf-8", more=[("set-cookie", cookie)])


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _token_in(scope: Scope) -> str | None:
    return next((value for name, value in _query(scope) if name == "token"), None)


def _quoted(address: str) -> str:
    from urllib.parse import quote

    return quote(address, safe="/?=&%+-_.~").replace("&", "&amp;")


def _measured(receive: Receive) -> Receive:
    """The body, which ends where it grows too long: a request may come without saying how long it is."""
    seen = 0

    async def measured() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > LONGEST_BODY else message

    return measured


def _sealed(send: Send) -> Send:
    """The answer with our headers on it, each in the place of its own."""

    async def sealed(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = dict(HEADERS)
            kept = [(name, value) for name, value in message["headers"] if name.decode("latin-1").lower() not in own]
            message["headers"] = [*kept, *_encoded(own.items())]
        await send(message)

    return sealed


async def _answer(
    send: Send, status: int, text: str, kind: str = "text/plain; charset=utf-8", more: Iterable[tuple[str, str]] = ()
) -> None:
    body = text.encode()
    headers = [*HEADERS.items(), ("content-type", kind), ("content-length", str(len(body))), *more]
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
