"""The samples and rejects of a run directory, as Parquet: written as a stream, and read as one.

    data/train-00000-of-00001.parquet, data/validation-...   samples, under `SAMPLE_SCHEMA`
                                                             or, where tools are called, under `TOOL_SCHEMA`
    rejects.parquet                                          what was thrown away, under `REJECT_SCHEMA`
    run.json                                                 the run writes it last: it marks a finished run

It is here because the card, the report and each export read the same rows in the same way. The bytes depend
on the sequence of samples and on nothing else: row groups end after a fixed number of rows or bytes, and no
time is stored. A rendering grows under `.rendering/` and takes its final names when it is whole; so what
stands in `data/` is either the older rendering or the new one. It chooses nothing: order, splits and rejects
are the run's.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from retroweave.pipeline.errors import UserError
from retroweave.pipeline.journal import JOURNAL

__all__ = [
    "OBJECTS",
    "REJECT_SCHEMA",
    "SAMPLE_SCHEMA",
    "SPLITS",
    "TOOL_SCHEMA",
    "DatasetWriter",
    "calls_tools",
    "read_rejects",
    "read_run",
    "read_samples",
    "table_of",
]

SPLITS: Final = ("train", "validation")

MESSAGE: Final = pa.struct([("role", pa.string()), ("content", pa.string()), ("train", pa.bool_())])

SAMPLE_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.list_(MESSAGE)),
        ("recipe", pa.string()),
        ("layout", pa.string()),
        ("license", pa.string()),
        ("source", pa.string()),
        ("variants", pa.string()),
        ("provenance", pa.string()),
    ]
)
"""The columns of every recipe's samples; what differs between recipes stands as JSON in the last two."""

OBJECTS: Final = pa.list_(pa.json_())

TOOL_SCHEMA: Final = pa.schema(
    [("id", pa.string()), ("messages", OBJECTS), ("tools", OBJECTS), *list(SAMPLE_SCHEMA)[2:]]
)
"""The columns of a set in which tools are called. Each turn and each tool's schema is JSON, which `datasets` reads as
the object that it is: as columns of their own, every turn would have every other's keys, and every call the arguments
of every tool, empty; chat templates take a key that is there and empty for a call."""

REJECT_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("row", "step", "kind", "reason", "trace", "source", "calls", "verdicts")]
)
"""The columns of `rejects.parquet`; in the last two stand, as JSON, lists of what models and judges said of the row."""
_SAID = ("calls", "verdicts")

_ROWS_PER_GROUP = 1_000
_BYTES_PER_GROUP = 64 * 1024 * 1024
"""A group ends here too, so that a thousand samples of a megabyte never wait in memory together."""
_COMPRESSION_LEVEL = 2
"""Level 3 takes a third more time for one per cent less space; level 1 saves little time for a fifth more."""
_REPETITIVE = ["messages.list.element.role", "recipe", "layout", "license", "source"]
_RENDERING = ".rendering"
_SHARD = re.compile(r"(train|validation)-(\d{5})-of-(\d{5})\.parquet")


class DatasetWriter:
    """Writes a rendering of a run: samples split by split, and rejects, in the order in which they come.

    Use it as a context manager: leaving it closes, leaving it by an exception abandons.
    """

    def __init__(self, directory: Path, shard_rows: int = 100_000, *, tools: bool = False) -> None:
        """`tools` says whether some of the samples call tools."""
        self._directory = directory
        self._rendering = directory / _RENDERING
        self._refuse_to_replace_strangers()
        if self._rendering.exists():  # left by a process that died
            shutil.rmtree(self._rendering)
        self._data = self._rendering / "data"
        self._data.mkdir(parents=True)
        schema = TOOL_SCHEMA if tools else SAMPLE_SCHEMA
        self._splits = {split: _Shards(self._data, split, shard_rows, schema) for split in SPLITS}
        self._rejects = _ParquetFile(self._rendering / "rejects.parquet", REJECT_SCHEMA, ["step", "kind"])

    def write(self, split: str, sample: Mapping[str, Any]) -> None:
        """Add a sample to "train" or "validation"; a `UserError` where no file can hold it."""
        self._splits[split].write(sample)

    def reject(self, row: Mapping[str, Any]) -> None:
        """Add a row to the rejects, under the names of `REJECT_SCHEMA`; `calls` and `verdicts` are lists."""
        self._rejects.write(*_reject_row(row))

    def close(self) -> None:
        """Finish all files and put them in the place of an older rendering."""
        for shards in self._splits.values():
            shards.close()
        self._rejects.close()
        self._take_final_names()

    def abandon(self) -> None:
        """Throw away what was written; an older rendering stays as it is. After `close` it does nothing."""
        if not self._rendering.exists():
            return
        for shards in self._splits.values():
            shards.abandon()
        self._rejects.abandon()
        shutil.rmtree(self._rendering)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.abandon()

    def _refuse_to_replace_strangers(self) -> None:
        data = self._directory / "data"
        names = sorted(path.name for path in data.iterdir()) if data.is_dir() else []
        strange = [name for name in names if not _SHARD.fullmatch(name) and not name.startswith(".")]
        if strange:
            raise UserError(
                f"{data} would be replaced by the run's samples, but holds {strange[0]!r}, which no run "
                "wrote. Move it away, or run into another directory with --out."
            )

    def _take_final_names(self) -> None:
        # The whole directory changes at once: renamed file by file, a kill could leave shards of two
        # renderings side by side, and whoever loads data/ would train on both.
        data = self._directory / "data"
        if data.exists():
            data.rename(self._rendering / "replaced")
        self._data.rename(data)
        (self._rendering / "rejects.parquet").replace(self._directory / "rejects.parquet")
        shutil.rmtree(self._rendering)


class _Shards:
    """The files of one split. Their number stands in their names, so they are named when it is known."""

    def __init__(self, directory: Path, split: str, shard_rows: int, schema: Any) -> None:
        self._directory = directory
        self._split = split
        self._shard_rows = shard_rows
        self._schema = schema
        self._finished: list[Path] = []
        self._open: _ParquetFile | None = None

    def write(self, sample: Mapping[str, Any]) -> None:
        if self._open is None:
            path = self._directory / f"{self._split}-{len(self._finished):05d}"
            repetitive = [name for name in _REPETITIVE if self._schema is SAMPLE_SCHEMA or "." not in name]
            self._open = _ParquetFile(path, self._schema, repetitive)
        self._open.write(*_sample_row(sample, self._schema is TOOL_SCHEMA))
        if self._open.rows == self._shard_rows:
            self._finish(self._open)

    def close(self) -> None:
        if self._open is not None:
            self._finish(self._open)
        for shard in self._finished:
            shard.rename(shard.with_name(f"{shard.name}-of-{len(self._finished):05d}.parquet"))

    def abandon(self) -> None:
        if self._open is not None:
            self._open.abandon()

    def _finish(self, file: _ParquetFile) -> None:
        file.close()
        self._finished.append(file.path)
        self._open = None


class _ParquetFile:
    """One file; rows wait in memory until they fill a row group."""

    def __init__(self, path: Path, schema: Any, repetitive: list[str]) -> None:
        self.path = path
        self.rows = 0
        self._schema = schema
        self._waiting: list[Mapping[str, Any]] = []
        self._waiting_bytes = 0
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            use_dictionary=repetitive,
            write_statistics=repetitive,
        )

    def write(self, row: Mapping[str, Any], size: int) -> None:
        self._waiting.append(row)
        self._waiting_bytes += size
        self.rows += 1
        if len(self._waiting) == _ROWS_PER_GROUP or self._waiting_bytes >= _BYTES_PER_GROUP:
            self._write_group()

    def close(self) -> None:
        self._write_group()
        self._writer.close()
        with self.path.open("rb") as written:  # on the disk before it may take a final name
            os.fsync(written.fileno())

    def abandon(self) -> None:
        with suppress(OSError):  # it would end the file, on a disk that may be full; the file is thrown away
            self._writer.close()

    def _write_group(self) -> None:
        if self._waiting:
            table = table_of(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=len(self._waiting))
            self._waiting = []
            self._waiting_bytes = 0


def table_of(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    """Rows as an Arrow table; what stands in a column of `OBJECTS` is the text of each."""
    if not any(field.type.equals(OBJECTS) for field in schema):
        return pa.Table.from_pylist(list(rows), schema=schema)
    # Arrow makes no array of an extension type of Python's values, but takes one of the strings below it for that.
    plain = [field.with_type(pa.list_(pa.string())) if field.type.equals(OBJECTS) else field for field in schema]
    return pa.Table.from_pylist(list(rows), schema=pa.schema(plain)).cast(schema)


def _sample_row(sample: Mapping[str, Any], tools: bool) -> tuple[dict[str, Any], int]:
    """A sample under its schema, and about how many bytes it takes."""
    try:
        messages: list[Any] = sample["messages"]
        size = sum(len(turn["content"].encode()) for turn in messages)
        if tools:
            messages = [orjson.dumps(turn).decode() for turn in messages]
            size = sum(map(len, messages))
        variants = orjson.dumps(sample["variants"])
        provenance = orjson.dumps(sample["provenance"])
        for name in ("id", "recipe", "layout", "license"):
            sample[name].encode()
    except (UnicodeEncodeError, orjson.JSONEncodeError) as error:
        raise UserError(_unwritable(f"Sample {sample['id']!r}", error)) from error
    row = {
        "id": sample["id"],
        "messages": messages,
        "recipe": sample["recipe"],
        "layout": sample["layout"],
        "license": sample["license"],
        "source": sample["provenance"]["source"]["place"],
        "variants": variants.decode(),
        "provenance": provenance.decode(),
    }
    if tools:
        row["tools"] = [orjson.dumps(one).decode() for one in sample.get("tools", ())]
    return row, size + len(provenance)


def _reject_row(reject: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """A reject under `REJECT_SCHEMA`, and about how many bytes it takes."""
    try:
        said = {name: orjson.dumps(reject[name]).decode() for name in _SAID}
        row = {name: reject[name] for name in REJECT_SCHEMA.names} | said
        return row, sum(len(value.encode()) for value in row.values())
    except (UnicodeEncodeError, orjson.JSONEncodeError) as error:
        raise UserError(_unwritable(f"The reject of row {reject['row']}", error)) from error


def _unwritable(what: str, error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        before = error.object[max(0, error.start - 30) : error.start]
        found = f"the lone surrogate U+{ord(error.object[error.start]):04X}, half a character, after {before!r}"
    else:
        found = f"what JSON cannot hold ({error})"
    return (
        f"{what} cannot be stored: it holds {found}. Mend the source, or throw such rows away in a step of the recipe."
    )


def read_run(run_dir: Path) -> dict[str, Any]:
    """What `run.json` says of a finished run; a `UserError` where there is none."""
    path = run_dir / "run.json"
    try:
        run = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(_no_finished_run(run_dir)) from None
    except orjson.JSONDecodeError as error:
        raise UserError(f"{path} is no JSON ({error}). {_again(run_dir)}") from error
    if not isinstance(run, dict):
        raise UserError(f"{path} should hold a JSON object, not a {type(run).__name__}. {_again(run_dir)}")
    return run


def read_samples(run_dir: Path, split: str | None = None) -> Iterator[dict[str, Any]]:
    """The samples of a run, in order and with their "split", read one row group at a time.

    They stand in `data/` before `run.json` is written, so that a run can look at its own.
    """
    if split is not None and split not in SPLITS:
        raise UserError(f"There is no split {split!r}. There is {' and '.join(SPLITS)}.")
    if not (run_dir / "data").is_dir():
        raise UserError(_no_finished_run(run_dir))
    for name in SPLITS if split is None else (split,):
        for path in _shards(run_dir, name):
            for row in _rows(path, (SAMPLE_SCHEMA, TOOL_SCHEMA), run_dir):
                del row["source"]  # a copy out of the provenance, for those who browse the table
                if "tools" in row:
                    row |= {column: [orjson.loads(one) for one in row[column]] for column in ("messages", "tools")}
                    if not row["tools"]:  # the sample of a layout that calls none
                        del row["tools"]
                row["variants"] = orjson.loads(row["variants"])
                row["provenance"] = orjson.loads(row["provenance"])
                row["split"] = name
                yield row


def calls_tools(run_dir: Path) -> bool:
    """Whether the samples of a run are under `TOOL_SCHEMA`."""
    paths = [path for split in SPLITS for path in _shards(run_dir, split)]
    return any("tools" in pq.read_schema(path).names for path in paths[:1])


def read_rejects(run_dir: Path) -> Iterator[dict[str, Any]]:
    """The rows that a run threw away, in order, read one row group at a time."""
    path = run_dir / "rejects.parquet"
    if not path.is_file():
        raise UserError(_no_finished_run(run_dir))
    for row in _rows(path, (REJECT_SCHEMA,), run_dir):
        yield row | {name: orjson.loads(row[name]) for name in _SAID}


def _rows(path: Path, schemas: tuple[Any, ...], run_dir: Path) -> Iterator[dict[str, Any]]:
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is no Parquet file ({error}). {_again(run_dir)}") from error
    with file:
        if not any(file.schema_arrow.equals(schema) for schema in schemas):
            raise UserError(
                f"{path} has other columns than a run writes{_missing(file, schemas[0])}. {_again(run_dir)}"
            )
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group).to_pylist()


def _missing(file: Any, schema: Any) -> str:
    """Which columns are not there, as in a file of an older version."""
    missing = [name for name in schema.names if name not in file.schema_arrow.names]
    return f": {' and '.join(missing)} are missing" if missing else ""


def _shards(run_dir: Path, split: str) -> list[Path]:
    """The files of a split in order; a `UserError` where some are missing or of another run."""
    paths = sorted(path for path in (run_dir / "data").glob(f"{split}-*") if _SHARD.fullmatch(path.name))
    expected = [f"{split}-{number:05d}-of-{len(paths):05d}.parquet" for number in range(len(paths))]
    if [path.name for path in paths] != expected:
        raise UserError(
            f"{run_dir / 'data'} holds {', '.join(path.name for path in paths)}: these are not all files of "
            f"the split {split!r}, or files of two runs. {_again(run_dir)}"
        )
    return paths


def _no_finished_run(run_dir: Path) -> str:
    if not run_dir.is_dir():
        return f"There is no directory {run_dir}. Make a run: retroweave run RECIPE --rows 100 --out {run_dir}"
    if (run_dir / JOURNAL).exists():
        return (
            f"The run in {run_dir} is not finished. Its finished rows are kept; give the "
            f"retroweave run command that began it again, with --out {run_dir}, and it goes on."
        )
    return (
        f"{run_dir} holds no finished run of retroweave: data/ or run.json is missing. Make one: "
        f"retroweave run RECIPE --rows 100 --out {run_dir}"
    )


def _again(run_dir: Path) -> str:
    return f"Give the retroweave run command that made it again, with --out {run_dir}, to write it anew."
