"""A pipeline's sandboxes: opened when they are needed, shared in a process, and known by what they are."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest

from retroweave.pipeline.sandbox import Call
from retroweave.verifiers.sandbox import shared
from retroweave.verifiers.sandbox.shared import Sandboxes

LETTERS = "def letters(text):\n    return [letter for letter in set(text)]\n"


def test_none_is_opened_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_opened", lambda *_: pytest.fail("it was opened"))
    sandboxes = Sandboxes()
    assert sandboxes == Sandboxes()
    assert sandboxes != Sandboxes(unsafe=True)
    assert pickle.loads(pickle.dumps(sandboxes)) == sandboxes  # noqa: S301 - our own


def test_two_pipelines_of_one_process_share_them() -> None:
    assert Sandboxes().one is Sandboxes().one
    assert Sandboxes().one is not Sandboxes().other


def test_sets_have_another_order_in_the_other() -> None:
    calls = [Call(("the quick brown fox jumps over the lazy dog",))]
    one, other = (sandbox.call(LETTERS, "letters", calls)[0].value for sandbox in (Sandboxes().one, Sandboxes().other))
    assert sorted(one) == sorted(other)
    assert one != other


def test_it_is_known_by_what_it_is_and_not_by_its_process() -> None:
    assert Sandboxes().fingerprint() == Sandboxes(unsafe=True).fingerprint()
    assert "0x" not in repr(Sandboxes())
    with pytest.raises(FrozenInstanceError):
        Sandboxes().unsafe = True  # type: ignore[misc]


def test_the_manifest_tells_each_property_and_what_holds_it() -> None:
    told = Sandboxes().manifest()
    assert set(told) == {"layers", "not_on", "unsafe"}
    assert set(told["layers"]) == {"files", "network", "processes", "limits", "rights"}
    assert all(told["layers"].values())
