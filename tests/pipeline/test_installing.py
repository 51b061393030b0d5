"""The command that installs an extra suits the way in which the package came here."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from retroweave.pipeline import installing
from retroweave.pipeline.installing import install_command


class Told:
    def __init__(self, origin: dict[str, Any] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


def came(monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None) -> None:
    monkeypatch.setattr(installing, "distribution", lambda name: Told(origin))


def test_from_the_index_it_is_installed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    came(monkeypatch, None)
    assert install_command("review") == "pip install 'retroweave[review]'"


def test_from_a_clone_it_is_installed_from_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clone = tmp_path / "my clone"
    came(monkeypatch, {"url": clone.as_uri(), "dir_info": {}})
    assert shlex.split(install_command("prosody")) == ["pip", "install", f"{clone}[prosody]"]
    clone.mkdir()
    monkeypatch.chdir(clone)
    assert install_command("prosody") == "pip install '.[prosody]'"


def test_what_can_be_edited_stays_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    came(monkeypatch, {"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    assert shlex.split(install_command("dev")) == ["pip", "install", "-e", f"{tmp_path}[dev]"]


def test_from_a_repository_it_is_installed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    came(monkeypatch, {"url": "https://example.org/retroweave.git", "vcs_info": {"vcs": "git", "commit_id": "a"}})
    assert install_command("review") == "pip install 'retroweave[review]'"
