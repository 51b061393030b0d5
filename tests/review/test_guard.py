"""The door of the review page: who is let in, and what a browser may do with what it gets."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.review.conftest import Review, Reviews


@pytest.fixture(scope="module")
def review(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Review]:
    """One server for all that is only asked of it and changes nothing."""
    folder = tmp_path_factory.mktemp("guard")
    reviews = Reviews(folder)
    yield reviews.start(shutil.copytree(made / "sums" / "out", folder / "sums"))
    reviews.end()


def test_the_link_lets_in_and_its_token_goes_into_a_strict_cookie(review: Review) -> None:
    status, headers, body = review.ask(f"/rows?text=7&token={review.token}", headers={"Cookie": ""})
    assert status == 200
    assert headers["set-cookie"] == f"{review.cookie}; Path=/; HttpOnly; SameSite=Strict"
    assert 'url=/rows?text=7"' in body
    assert review.token not in body


@pytest.mark.parametrize("path", ["/", "/rows", "/label", "/export/labels.jsonl", "/static/review.js", "/nowhere"])
@pytest.mark.parametrize("cookie", ["", "retroweave-1=x", "wrong", "retroweave=; \x7f"])
def test_without_the_token_nothing_is_told(review: Review, path: str, cookie: str) -> None:
    given = cookie if cookie != "wrong" else review.cookie[:-1] + "~"
    status, _, body = review.ask(path, headers={"Cookie": given})
    assert status == 403
    assert "Open the link" in body


def test_a_wrong_token_in_the_link_is_refused(review: Review) -> None:
    for token in ("", "x", review.token[:-1], review.token + "x", "%C3%A9"):
        status, headers, _ = review.ask(f"/rows?token={token}", headers={"Cookie": ""})
        assert status == 403
        assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:{port}", "[::1]:{port}"]
)
def test_another_host_is_refused_though_the_token_is_right(review: Review, host: str) -> None:
    """As after a name of a stranger's was bound to 127.0.0.1."""
    status, _, body = review.ask("/rows", headers={"Host": host.format(port=review.host.partition(":")[2])})
    assert status in (400, 421)
    assert "<table" not in body
    assert "rows.jsonl" not in body


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1", "http://127.0.0.1:1"])
def test_another_origin_can_change_nothing(review: Review, origin: str) -> None:
    status, _, _ = review.ask("/label", method="POST", fields={"act": "accept"}, headers={"Origin": origin})
    assert status == 403


def test_another_origin_can_read_nothing(review: Review) -> None:
    status, headers, _ = review.ask("/rows", headers={"Origin": "https://evil.example"})
    assert status == 403
    assert "access-control-allow-origin" not in headers


def test_a_form_on_another_port_of_this_machine_is_refused(review: Review) -> None:
    headers = {"Sec-Fetch-Site": "same-site"}
    assert review.ask("/label", method="POST", fields={"act": "accept"}, headers=headers)[0] == 403


@pytest.mark.parametrize("path", ["/rows", "/static/review.css", "/nowhere", "/rows/nothing"])
def test_every_answer_is_sealed(review: Review, path: str) -> None:
    _, headers, _ = review.ask(path)
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_a_body_that_is_too_long_is_refused(review: Review) -> None:
    status, _, body = review.ask("/label", method="POST", fields={"note": "x" * 5_000_000})
    assert status == 413
    assert "4,194,304" in body


def test_no_file_but_its_own_is_served(review: Review) -> None:
    for path in ("/static/../guard.py", "/static/%2e%2e%2fguard.py", "/static/guard.py", "/static//etc/passwd"):
        assert review.ask(path)[0] == 404


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are looked up in /proc")
def test_it_listens_on_this_machine_alone(review: Review) -> None:
    port = f"{int(review.host.partition(':')[2]):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert {local for _, local, _, state, *_ in lines if local.endswith(f":{port}") and state == "0A"} == {
        f"0100007F:{port}"
    }


def test_ctrl_c_ends_it_in_order(sums: Path, reviews: Reviews) -> None:
    review = reviews.start(sums)
    review.text("/rows")
    code, said = review.stop()
    assert code == 0
    assert "Traceback" not in said
    assert "kept" in said


def test_a_port_that_is_taken_is_told(review: Review, sums: Path, reviews: Reviews) -> None:
    with pytest.raises(AssertionError, match="cannot be had"):
        reviews.start(sums, "--port", review.host.partition(":")[2])
