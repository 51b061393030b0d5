"""What the writer promises: the same samples give the same bytes, and no final name holds half a rendering."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.export.asked import call, turned_away, verdict

from retroweave.export.dataset import (
    REJECT_SCHEMA,
    SAMPLE_SCHEMA,
    DatasetWriter,
    read_rejects,
    read_run,
    read_samples,
)
from retroweave.pipeline.errors import UserError

MakeSample = Callable[..., dict[str, Any]]
MakeRun = Callable[..., Path]

text = st.text(st.characters(exclude_categories=["Cs"]))
turn = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]), "content": text, "train": st.booleans()}
)
sample = st.fixed_dictionaries(
    {
        "id": text,
        "messages": st.lists(turn, min_size=1),
        "recipe": text,
        "layout": text,
        "variants": st.dictionaries(text, st.integers(0, 100)),
        "license": text,
        "provenance": st.fixed_dictionaries(
            {
                "source": st.fixed_dictionaries({"place": text, "key": text}),
                "measures": st.dictionaries(text, st.integers(-(2**62), 2**62) | text | st.booleans()),
            }
        ),
    }
)


def _files(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@settings(max_examples=40, deadline=None)
@given(st.lists(sample, max_size=12), st.integers(1, 5))
def test_what_was_written_is_read_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, samples: list[dict[str, Any]], shard_rows: int
) -> None:
    directory = tmp_path_factory.mktemp("run")
    with DatasetWriter(directory, shard_rows=shard_rows) as writer:
        for one in samples:
            writer.write("train", one)
    assert list(read_samples(directory)) == [one | {"split": "train"} for one in samples]


def test_the_same_samples_give_the_same_bytes(tmp_path: Path, make_sample: MakeSample) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with DatasetWriter(tmp_path / name) as writer:
            for number in range(2_300):
                writer.write("train" if number % 7 else "validation", make_sample(number))
            writer.reject(dict.fromkeys(REJECT_SCHEMA.names, "why"))
    assert _files(tmp_path / "one") == _files(tmp_path / "two")
    assert len(_files(tmp_path / "one")) == 3


def test_row_groups_end_after_a_thousand_rows(tmp_path: Path, make_sample: MakeSample) -> None:
    with DatasetWriter(tmp_path) as writer:
        for _ in range(2_300):
            writer.write("train", make_sample(1))
    metadata = pq.read_metadata(tmp_path / "data" / "train-00000-of-00001.parquet")
    assert [metadata.row_group(group).num_rows for group in range(3)] == [1_000, 1_000, 300]


def test_row_groups_of_large_samples_end_sooner(tmp_path: Path, make_sample: MakeSample) -> None:
    large = [{"role": "assistant", "content": "word " * 5_000_000, "train": True}]
    with DatasetWriter(tmp_path) as writer:
        for number in range(5):
            writer.write("train", make_sample(number, messages=large))
    metadata = pq.read_metadata(tmp_path / "data" / "train-00000-of-00001.parquet")
    assert [metadata.row_group(group).num_rows for group in range(2)] == [3, 2]


def test_shards_are_named_by_their_place_and_number(tmp_path: Path, make_sample: MakeSample) -> None:
    with DatasetWriter(tmp_path, shard_rows=4) as writer:
        for number in range(9):
            writer.write("train", make_sample(number))
    assert [path.name for path in sorted((tmp_path / "data").iterdir())] == [
        "train-00000-of-00003.parquet",
        "train-00001-of-00003.parquet",
        "train-00002-of-00003.parquet",
    ]
    assert [one["id"] for one in read_samples(tmp_path)] == [make_sample(number)["id"] for number in range(9)]


def test_every_recipe_has_the_same_columns(make_run: MakeRun) -> None:
    directory = make_run()
    for path in (directory / "data").iterdir():
        assert pq.read_schema(path).equals(SAMPLE_SCHEMA)
    assert pq.read_schema(directory / "rejects.parquet").equals(REJECT_SCHEMA)


def test_a_new_rendering_takes_the_place_of_a_larger_one(tmp_path: Path, make_sample: MakeSample) -> None:
    for rows in (10, 2):
        with DatasetWriter(tmp_path, shard_rows=2) as writer:
            for number in range(rows):
                writer.write("train" if number % 2 else "validation", make_sample(number))
    assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == [
        "rejects.parquet",
        "train-00000-of-00001.parquet",
        "validation-00000-of-00001.parquet",
    ]


def test_an_abandoned_rendering_leaves_the_older_one_as_it_was(tmp_path: Path, make_sample: MakeSample) -> None:
    with DatasetWriter(tmp_path) as writer:
        writer.write("train", make_sample(1))
    before = _files(tmp_path)
    broken = make_sample(3, recipe="\ud800")
    writer = DatasetWriter(tmp_path, shard_rows=1)
    writer.write("train", make_sample(2))
    with pytest.raises(UserError), writer:
        writer.write("train", broken)
    assert _files(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "rejects.parquet"]


def test_abandoning_a_closed_writer_keeps_what_it_wrote(tmp_path: Path, make_sample: MakeSample) -> None:
    writer = DatasetWriter(tmp_path)
    writer.write("train", make_sample(1))
    writer.close()
    writer.abandon()
    assert len(list(read_samples(tmp_path))) == 1


def test_a_killed_writer_leaves_no_final_name_and_the_next_one_cleans_up(
    tmp_path: Path, make_sample: MakeSample
) -> None:
    child = textwrap.dedent(
        f"""
        import json, os, signal
        from pathlib import Path
        from retroweave.export.dataset import DatasetWriter
        writer = DatasetWriter(Path({str(tmp_path)!r}), shard_rows=2)
        sample = json.loads({json.dumps(make_sample(1))!r})
        for number in range(5):
            writer.write("train", sample)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed = subprocess.run([sys.executable, "-c", child], env={**os.environ}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".rendering"]
    with pytest.raises(UserError, match="no finished run"):
        list(read_samples(tmp_path))
    with DatasetWriter(tmp_path) as writer:
        writer.write("train", make_sample(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "rejects.parquet"]


def test_a_file_that_no_run_wrote_is_not_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"'notes.txt', which no run wrote. Move it away"):
        DatasetWriter(tmp_path)


def test_a_lone_surrogate_is_named_with_the_sample_that_holds_it(tmp_path: Path, make_sample: MakeSample) -> None:
    broken = [{"role": "assistant", "content": "all went well until \ud83d came", "train": True}]
    with DatasetWriter(tmp_path) as writer:
        writer.write("train", make_sample(1))
        with pytest.raises(UserError, match=r"lone surrogate U\+D83D.*after 'all went well until '"):
            writer.write("train", make_sample(2, messages=broken))
        with pytest.raises(UserError, match=r"row 0/1.*U\+DC00"):
            writer.reject({**dict.fromkeys(REJECT_SCHEMA.names, ""), "row": "0/1", "reason": "\udc00"})
    assert len(list(read_samples(tmp_path))) == 1


def test_a_measure_that_json_cannot_hold_is_refused(tmp_path: Path, make_sample: MakeSample) -> None:
    huge = make_sample(1)
    huge["provenance"]["measures"]["size"] = 2**80
    with DatasetWriter(tmp_path) as writer, pytest.raises(UserError, match="what JSON cannot hold"):
        writer.write("train", huge)


def test_one_split_is_read_alone(make_run: MakeRun) -> None:
    directory = make_run()
    assert {one["split"] for one in read_samples(directory, "validation")} == {"validation"}
    assert len(list(read_samples(directory, "validation"))) == 4
    with pytest.raises(UserError, match=r"There is no split 'test'\. There is train and validation"):
        list(read_samples(directory, "test"))


def test_rejects_are_read_back(make_run: MakeRun) -> None:
    rejects = list(read_rejects(make_run(rejects=5)))
    assert [reject["row"] for reject in rejects] == ["0/0", "0/1", "0/2", "0/3", "0/4"]
    assert rejects[0]["reason"] == "gave no rows"


def test_a_directory_without_a_finished_run_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no directory .*nowhere. Make a run: retroweave run"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"holds no finished run.* Make one: retroweave run"):
        read_run(tmp_path)
    (tmp_path / "outcomes.sqlite").touch()
    with pytest.raises(UserError, match=r"is not finished.*give the retroweave run command"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{half")
    with pytest.raises(UserError, match=r"run.json is no JSON"):
        read_run(tmp_path)


def test_a_missing_shard_is_noticed(tmp_path: Path, make_sample: MakeSample) -> None:
    with DatasetWriter(tmp_path, shard_rows=1) as writer:
        for number in range(3):
            writer.write("train", make_sample(number))
    (tmp_path / "data" / "train-00002-of-00003.parquet").unlink()
    with pytest.raises(UserError, match="not all files of the split 'train'"):
        list(read_samples(tmp_path))


def test_a_spoiled_shard_is_noticed(make_run: MakeRun) -> None:
    directory = make_run()
    (directory / "data" / "train-00000-of-00001.parquet").write_bytes(b"PAR1 and nothing more PAR1")
    with pytest.raises(UserError, match=r"is no Parquet file"):
        list(read_samples(directory))


@pytest.mark.parametrize("with_card", [False, True])
def test_the_hubs_loader_finds_both_splits(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_card: bool
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    directory = make_run()
    if with_card:
        from retroweave.export.card import write_card

        write_card(directory)
    loaded = datasets.load_dataset(str(directory), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 36, "validation": 4}
    first = next(read_samples(directory))
    assert loaded["train"][0]["messages"] == first["messages"]


def test_what_models_and_judges_said_of_a_reject_is_read_back(make_run: MakeRun) -> None:
    hostile = '</script>"\\\x00\u202e'
    reject = turned_away("0/3/1", [call("ask", hostile, hostile)], [verdict(0.25, False, items=[None, hostile])])
    assert list(read_rejects(make_run(rejects=[reject]))) == [reject]


def test_a_lone_surrogate_in_an_answer_is_named_with_its_row(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path) as writer, pytest.raises(UserError, match="The reject of row 0/3/1 cannot be stored"):
        writer.reject(turned_away("0/3/1", [call("ask", "a", "\ud83d")]))


def test_rejects_of_an_older_version_are_refused_with_what_they_lack(make_run: MakeRun) -> None:
    directory = make_run()
    path = directory / "rejects.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["calls", "verdicts"]), path)
    with pytest.raises(UserError, match=r"than a run writes: calls and verdicts are missing\. Give the retroweave run"):
        list(read_rejects(directory))
