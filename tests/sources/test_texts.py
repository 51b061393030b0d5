"""People's own files become passages with a licence and a place, or the message says what is wrong and where."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.pipeline.errors import SourceError, UserError
from retroweave.pipeline.source import Source, SourceRow
from retroweave.sources.records import LARGEST_TEXT, LONGEST_LINE, records
from retroweave.sources.texts import BUILT_IN, passages

LINE = "The kettle was put on before the letter was opened, as it always was. "
LONG = LINE * 12
MIB = 1024 * 1024
WORDS = ("x" * 97 + ". ") * 30  # few of them, for the memory tests count every string


def rows_of(path: Path, **options: Any) -> list[SourceRow]:
    return list(passages(path, **{"license": "CC-BY-4.0", **options}).rows())


def write_parquet(path: Path, **columns: list[Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def write_jsonl(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(SourceError) as error:
        rows_of(path, **options)
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def refused_at_once(path: Path, **options: Any) -> str:
    with pytest.raises(SourceError):
        passages(path, **{"license": "CC-BY-4.0", **options})
    return refused(path, **options)


class TestBuiltIn:
    def test_each_built_in_text_is_one_file_and_one_passage(self) -> None:
        source = passages()
        rows = list(source.rows())
        files = sorted(path.relative_to(BUILT_IN).as_posix() for path in BUILT_IN.glob("*/*.txt"))
        assert sorted(row.place for row in rows) == [f"builtin:{name}" for name in files]
        assert {row.license for row in rows} == {"CC0-1.0"} == set(source.licenses)
        assert not any(row.reject for row in rows)
        assert source.fields == {"passage": str}

    def test_a_few_of_the_built_in_passages_are_of_as_many_kinds_and_texts(self) -> None:
        places = [row.place.partition(",")[0] for row in passages(shortest=300, longest=1500).rows()]
        kinds, texts = len(list(BUILT_IN.iterdir())), len(list(BUILT_IN.glob("*/*.txt")))
        assert len({place.partition("/")[0] for place in places[:kinds]}) == kinds
        assert len(set(places[:texts])) == texts < len(places)

    def test_a_licence_for_the_built_in_texts_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"under CC0-1\.0.*--texts PATH"):
            passages(license="MIT")


class TestRows:
    def test_a_text_file_gives_passages_with_key_place_cluster_and_licence(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text(f"\n{LONG}\n\n{LONG.upper()}\n", encoding="utf-8")
        first, second = rows_of(path, shortest=500, longest=900)
        assert first == SourceRow(
            key="notes.txt#1:1",
            fields={"passage": LONG + "\n"},
            license="CC-BY-4.0",
            place="notes.txt, line 2",
            cluster=first.cluster,
        )
        assert (second.key, second.place) == ("notes.txt#1:843", "notes.txt, line 4")
        assert first.cluster == second.cluster != ""

    def test_the_field_has_the_name_that_is_asked_for(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.md"
        path.write_text(LONG)
        assert rows_of(path, into="chapter")[0].fields == {"chapter": LONG.rstrip()}

    def test_a_folder_is_read_in_the_order_of_its_paths_without_hidden_and_unknown_files(self, tmp_path: Path) -> None:
        for name in ["b/one.TXT", "a/two.md", "a.txt", "c.csv", ".hidden.txt", ".git/x.txt", "d.pdf", "é.jsonl"]:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(LONG)
        (tmp_path / "c.csv").write_text(f'id,text\n1,"{LONG}"\n')
        write_jsonl(tmp_path / "é.jsonl", {"text": LONG})
        keys = [row.key for row in rows_of(tmp_path)]
        assert keys == ["a.txt#1:0", "a/two.md#1:0", "b/one.TXT#1:0", "c.csv#1:0", "é.jsonl#1:0"]

    def test_records_say_which_they_are_and_on_which_line(self, tmp_path: Path) -> None:
        path = tmp_path / "many.jsonl"
        path.write_text(json.dumps({"text": LONG}) + "\r\n\r\n" + json.dumps({"text": f"{LONG}\n\n{LONG}"}) + "\r\n")
        rows = rows_of(path, longest=900)
        assert [(row.key, row.place) for row in rows] == [
            ("many.jsonl#1:0", "many.jsonl, record 1, line 1"),
            ("many.jsonl#2:0", "many.jsonl, record 2, line 3"),
            ("many.jsonl#2:842", "many.jsonl, record 2, line 3, from character 843"),
        ]

    def test_csv_texts_may_hold_commas_quotation_marks_and_line_breaks_of_any_kind(self, tmp_path: Path) -> None:
        text = f'{LONG}\r\nShe said, "{LONG}"\n\n{LONG}'
        path = tmp_path / "many.csv"
        quoted = text.replace('"', '""')
        path.write_bytes(f'\ufeffid,text\r\n1,"{quoted}"\r\n\r\n2,{LONG.replace(",", ";")}\r\n'.encode())
        first, second = rows_of(path)
        assert first.fields["passage"] == text.rstrip()
        assert second.place == "many.csv, record 2, line 7"

    def test_a_csv_field_may_be_longer_than_python_allows_by_itself(self, tmp_path: Path) -> None:
        path = tmp_path / "long.csv"
        path.write_text(f'text\n"{LINE * 3000}"\n')
        assert "".join(row.fields["passage"] + " " for row in rows_of(path)) == LINE * 3000

    def test_parquet_rows_are_read_from_the_text_column_alone(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path / "many.parquet", text=[LONG, LONG + "End."], n=[1, 2])
        rows = rows_of(path)
        assert [row.place for row in rows] == ["many.parquet, record 1", "many.parquet, record 2"]
        assert rows[1].fields["passage"] == LONG + "End."

    def test_a_byte_order_mark_is_left_out(self, tmp_path: Path) -> None:
        for name, text in [("a.txt", LONG), ("b.jsonl", json.dumps({"text": LONG})), ("c.csv", f'text\n"{LONG}"')]:
            (tmp_path / name).write_text(text, encoding="utf-8-sig")
        assert {row.fields["passage"] for row in rows_of(tmp_path)} == {LONG.rstrip()}

    def test_what_is_too_short_is_a_reject_that_says_so_and_nothing_vanishes(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": LONG}, {"text": "Short."}, {"text": " \n"}, {"text": None})
        rows = rows_of(path)
        assert [row.reject for row in rows] == [
            "",
            "shorter than 600 characters",
            "shorter than 600 characters",
            "the field 'text' is null",
        ]
        assert rows[1].fields == {"passage": "Short."}

    def test_equal_passages_share_a_cluster_whatever_their_spaces_and_case(self, tmp_path: Path) -> None:
        texts = [LONG, LONG.upper(), LONG.replace(" ", "\n"), LONG.replace("kettle", "pot")]
        rows = rows_of(write_jsonl(tmp_path / "a.jsonl", *({"text": text} for text in texts)))
        clusters = [row.cluster for row in rows]
        assert len(set(clusters[:3])) == 1
        assert clusters[3] != clusters[0]

    def test_rows_come_the_same_each_time(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", *({"text": LONG * n} for n in range(1, 20)))
        source = passages(path, license="MIT")
        assert list(source.rows()) == list(source.rows()) == rows_of(path, license="mit")

    def test_a_name_that_is_no_unicode_can_be_stored(self, tmp_path: Path) -> None:
        path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
        Path(os.fsdecode(path)).write_text(LONG)
        assert rows_of(tmp_path)[0].key.encode() == rb"caf\udce9.txt#1:0"

    @given(texts=st.lists(st.text(max_size=120), min_size=1, max_size=4))
    def test_every_passage_is_an_exact_slice_of_its_record_at_the_place_that_its_key_names(
        self, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
    ) -> None:
        path = write_parquet(tmp_path_factory.mktemp("texts") / "a.parquet", text=[*texts, "enough"])
        rows = rows_of(path, shortest=5, longest=30)
        assert len({row.key for row in rows}) == len(rows)
        for row in rows:
            record, offset = row.key.removeprefix("a.parquet#").split(":")
            passage = row.fields["passage"]
            assert [*texts, "enough"][int(record) - 1][int(offset) :].startswith(passage)
            assert bool(row.reject) == (len(passage.rstrip("\r\n")) < 5)


class TestLicenses:
    def test_the_licence_of_a_record_wins_over_the_one_for_all(self, tmp_path: Path) -> None:
        values = [{"text": LONG, "license": "cc0-1.0"}, {"text": LONG}, {"text": LONG, "license": None}]
        path = write_jsonl(tmp_path / "a.jsonl", *values, {"text": LONG, "license": " "})
        assert [row.license for row in rows_of(path, license="mit")] == ["CC0-1.0", "MIT", "MIT", "MIT"]

    def test_csv_and_parquet_records_may_name_their_licences_too(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f'license,text\nMIT,"{LONG}"\n')
        write_parquet(tmp_path / "b.parquet", text=[LONG], license=["Apache-2.0"])
        assert [row.license for row in rows_of(tmp_path, license=None)] == ["MIT", "Apache-2.0"]

    @pytest.mark.parametrize(
        ("options", "let_in"),
        [
            ({"license": "mit"}, ("MIT",)),
            ({}, ("CC-BY-4.0",)),
            ({"licenses": ("cc0-1.0", "CC-BY-4.0")}, ("CC0-1.0", "CC-BY-4.0")),
            ({"license": "MIT", "licenses": ("CC-BY-4.0",)}, ("CC-BY-4.0",)),
        ],
    )
    def test_what_is_let_in_is_what_is_named_or_else_the_one_licence(
        self, tmp_path: Path, options: dict[str, Any], let_in: tuple[str, ...]
    ) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": LONG, "license": "CC-BY-4.0"})
        assert passages(path, **options).licenses == let_in

    @pytest.mark.parametrize("name", ["a.txt", "b/a.md", "a.jsonl", "a.csv", "a.parquet"])
    def test_a_text_without_a_licence_is_refused_at_once_with_what_to_pass(self, tmp_path: Path, name: str) -> None:
        write_jsonl(tmp_path / "0.jsonl", {"text": LONG, "license": "MIT"})
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".parquet":
            write_parquet(path, text=[LONG])
        else:
            path.write_text({".jsonl": json.dumps({"text": LONG}), ".csv": f'text\n"{LONG}"'}.get(path.suffix, LONG))
        with pytest.raises(UserError, match=rf"{name}.*--license ID"):
            passages(tmp_path)

    def test_a_licence_that_is_not_spdx_is_refused_with_the_nearest(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": LONG}, {"text": LONG, "license": "CC0"})
        with pytest.raises(UserError, match="CC-BY-4"):
            passages(path, license="CC-BY 4")
        with pytest.raises(SourceError, match=r"a.jsonl, record 2, line 2.*CC0-1\.0"):
            rows_of(path)

    def test_a_licence_that_is_no_string_is_refused(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": LONG, "license": ["MIT"]})
        assert "'license' must hold one SPDX expression, such as CC-BY-4.0, and holds a list" in refused_at_once(path)


class TestWhatCannotBeRead:
    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        assert "There is no file or folder" in refused_at_once(tmp_path / "nowhere")

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        assert "is empty" in refused_at_once(tmp_path)

    def test_a_folder_without_known_endings_names_the_endings_it_has(self, tmp_path: Path) -> None:
        for name in ["a.pdf", "b.pdf", "c.docx", "README"]:
            (tmp_path / name).touch()
        message = refused_at_once(tmp_path)
        assert "2 with .pdf, 1 with " in message
        assert ".txt, .md, .jsonl, .csv, .parquet, .xml, .xml.bz2 or .xml.gz" in message

    def test_a_file_with_an_unknown_ending(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text("[]")
        assert "ends in '.json'" in refused_at_once(tmp_path / "a.json")

    def test_a_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.txt")
        assert "not a file that can be read" in refused_at_once(tmp_path / "a.txt")

    @pytest.mark.parametrize("name", ["my wiki.txt", "my wiki.md", "my wiki.xml.txt"])
    @pytest.mark.parametrize(
        "head", ["", "\ufeff", "\n ", '<?xml version="1.0" encoding="utf-8"?>\n', "<!-- of Tuesday -->\n<!-- noon -->"]
    )
    def test_a_dump_under_the_name_of_a_text(self, tmp_path: Path, name: str, head: str) -> None:
        path = tmp_path / name
        path.write_text(f'{head}<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">\n{LONG}', "utf-8")
        message = refused_at_once(path)
        assert "a MediaWiki dump" in message
        assert message.endswith(f"Rename it: mv '{path}' '{tmp_path}/my wiki.xml'")
        path.write_text(f"{LONG} <mediawiki> is how a dump begins.\n\n{LONG}", "utf-8")
        assert rows_of(path)

    def test_a_text_that_begins_with_many_comments_is_one(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("<!---->" * 300 + LONG)
        assert len(rows_of(tmp_path / "a.txt")) == 1

    def test_a_dump_that_came_under_the_name_of_a_text_since_it_was_looked_at(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_text("<mediawiki>\n</mediawiki>\n")
        with pytest.raises(SourceError, match="a MediaWiki dump"):
            list(records(path, "text"))

    def test_a_link_to_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").symlink_to("gone.txt")
        assert "a.txt cannot be read: No such file" in refused_at_once(tmp_path)

    @pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
    def test_a_binary_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(b"GIF 89a\x00\x01\n")
        assert "is not text but binary: byte 7, in line 1, is NUL" in refused_at_once(tmp_path / name)

    def test_utf_16_is_told_from_binary(self, tmp_path: Path) -> None:
        (tmp_path / "a b.txt").write_text(LONG, encoding="utf-16")
        message = refused_at_once(tmp_path / "a b.txt")
        assert f"iconv -f UTF-16 -t UTF-8 '{tmp_path}/a b.txt' > '{tmp_path}/a b.utf8.txt'" in message

    @pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
    def test_another_encoding_is_named_by_byte_and_line_with_the_command_that_mends_it(
        self, tmp_path: Path, name: str
    ) -> None:
        path = tmp_path / name
        text = f"“{LONG}”"
        before = {".jsonl": f'{{"text": "{text}"}}', ".csv": f'text\n"{text}"'}.get(path.suffix, text) + "\nä"
        path.write_bytes(before.encode() + b'{"text": "caf\xe9"}')
        message = refused(path)
        assert f"byte {len(before.encode()) + 13}, in line {before.count(chr(10)) + 1}, is 0xe9" in message
        assert f"iconv -f WINDOWS-1252 -t UTF-8 {path} > {tmp_path}/a.utf8{path.suffix}" in message

    def test_the_command_for_another_encoding_does_mend_it(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_bytes(f"“{LONG}”".encode("cp1252"))
        command = refused(tmp_path / "a.txt").split("with: ")[1].split(" and take")[0]
        assert os.system(command) == 0
        assert rows_of(tmp_path / "a.utf8.txt")[0].fields["passage"] == f"“{LONG}”"

    @pytest.mark.parametrize(
        "line", ["{'text': 1}", '{"text": "a', "", "NaN", "[1]", '"text"', "3", "null", "[" * 5000]
    )
    def test_a_line_that_is_no_json_object(self, tmp_path: Path, line: str) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"text": LONG}) + f"\n{line or '{'}\n")
        assert "a.jsonl, record 2, line 2: one JSON object a line is expected" in refused(path)

    def test_the_first_broken_line_is_found_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps([{"text": LONG}], indent=2))
        assert "jq -c '.[]'" in refused_at_once(path)

    def test_a_missing_field_is_answered_with_the_nearest_and_all_there_are(self, tmp_path: Path) -> None:
        json_lines = write_jsonl(tmp_path / "a.jsonl", {"texts": LONG, "id": 1})
        csv_file = tmp_path / "b.csv"
        csv_file.write_text("id,texts\n1,a\n")
        parquet = write_parquet(tmp_path / "c.parquet", id=[1], texts=[LONG])
        for path in (json_lines, csv_file, parquet):
            message = refused_at_once(path)
            assert "Did you mean 'texts'? The fields there are: " in message
            assert "id" in message
            assert "--field NAME" in message
        assert rows_of(json_lines, field="texts")[0].fields["passage"] == LONG.rstrip()

    def test_a_missing_field_in_a_later_record(self, tmp_path: Path) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": LONG}, {"body": LONG})
        assert "a.jsonl, record 2, line 2: the field 'text'" in refused(path)

    @pytest.mark.parametrize(
        ("value", "kind"), [(3, "a number"), (["a"], "a list"), ({}, "an object"), (True, "true or")]
    )
    def test_a_field_that_is_no_string(self, tmp_path: Path, value: Any, kind: str) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": value})
        assert f"record 1, line 1: the field 'text' must hold a string, the text itself, and holds {kind}" in (
            refused_at_once(path)
        )

    def test_a_parquet_column_that_is_no_string(self, tmp_path: Path) -> None:
        assert "holds a number" in refused_at_once(write_parquet(tmp_path / "a.parquet", text=[1]))

    def test_a_file_that_is_no_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        path.write_text(LONG)
        assert "is not a Parquet file that can be read" in refused_at_once(path)

    def test_a_parquet_file_that_is_damaged_inside(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path / "a.parquet", text=[LONG + str(n) for n in range(2000)])
        data = bytearray(path.read_bytes())
        data[60:2000] = bytes(1940)
        path.write_bytes(data)
        refused(path)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('text\n"' + LONG + '"\n"never closed\nand on\n', "begins on line 3"),
            ('text\n"a" b\n', "begins on line 2"),
            ('id,text\n1,"' + LONG + '"\n2,one,two\n', "record 2, line 3: 2 columns are expected"),
            ('id,text\n1,"' + LONG + '"\n2\n', "there are 1"),
            ("text,id,text\na,b,c\n", "there are 2 columns named 'text'"),
            ("", "is empty: a first line"),
        ],
    )
    def test_broken_csv(self, tmp_path: Path, text: str, problem: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(text)
        assert problem in refused(path)

    @pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv"])
    def test_a_line_that_would_fill_the_memory_is_not_read(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        with path.open("wb") as file:
            file.write(f'text\n"{LONG}"\n'.encode() if name == "a.csv" else b"")
            file.write(json.dumps({"text": LONG}).encode() + b"\n" if name == "a.jsonl" else b"")
            for _ in range(50):
                file.write(b"x" * MIB)
        tracemalloc.start()
        try:
            message = refused(path)
            assert tracemalloc.get_traced_memory()[1] < 2.5 * LONGEST_LINE
        finally:
            tracemalloc.stop()
        assert "is longer than 16 MiB" in message

    def test_a_text_too_large_to_be_read_as_a_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        with path.open("wb") as file:
            file.truncate(LARGEST_TEXT + 1)
        message = refused_at_once(path)
        assert f"split -C 60M --additional-suffix=.txt {path} a-" in message

    @pytest.mark.parametrize("change", [Path.unlink, lambda path: path.unlink() or path.mkdir()])
    def test_a_file_that_is_gone_midway(self, tmp_path: Path, change: Callable[[Path], None]) -> None:
        for name in ("a.txt", "b.txt"):
            (tmp_path / name).write_text(LONG)
        source = passages(tmp_path, license="MIT")
        rows = source.rows()
        assert next(rows).key == "a.txt#1:0"
        change(tmp_path / "b.txt")
        for reading in (lambda: list(rows), source.fingerprint):
            with pytest.raises(SourceError, match=r"b\.txt cannot be read: .*what was done so far is kept"):
                reading()

    @pytest.mark.parametrize(("shortest", "longest"), [(0, 10), (-1, 10), (10, 10), (11, 10)])
    def test_a_range_that_holds_nothing(self, shortest: int, longest: int) -> None:
        with pytest.raises(SourceError, match=rf"shortest={shortest} to longest={longest}"):
            passages(shortest=shortest, longest=longest)

    @pytest.mark.parametrize(("length", "advice"), [(212, 200), (57, 50), (7, 7)])
    def test_texts_that_are_all_too_short_are_answered_with_what_to_pass(
        self, tmp_path: Path, length: int, advice: int
    ) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": "a"}, {"text": "a" * length}, {"text": "a"})
        message = refused_at_once(path)
        assert f"the longest passage has {length} characters; pass --shortest {advice}." in message
        assert rows_of(path, shortest=advice)

    @pytest.mark.parametrize(
        ("name", "text"), [("a.txt", ""), ("a.txt", " \n\n"), ("a.jsonl", "\n"), ("a.csv", "text\n")]
    )
    def test_files_without_any_text(self, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        assert "holds no text at all" in refused_at_once(tmp_path / name)


class TestFingerprint:
    def test_it_is_the_same_for_the_same_files_wherever_they_lie(self, tmp_path: Path) -> None:
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "a.txt").write_text(LONG)
        one, two = (passages(tmp_path / folder, license="MIT").fingerprint() for folder in ("one", "two"))
        assert one == two

    def test_a_changed_text_name_or_setting_changes_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_text(LONG)

        def prints() -> Iterator[str]:
            yield passages(tmp_path, license="MIT").fingerprint()
            yield passages(tmp_path, license="ISC").fingerprint()
            yield passages(tmp_path, license="MIT", shortest=500).fingerprint()
            yield passages(tmp_path, license="MIT", longest=5000).fingerprint()
            path.write_text(LONG + ".")
            yield passages(tmp_path, license="MIT").fingerprint()
            path.rename(tmp_path / "b.txt")
            yield passages(tmp_path, license="MIT").fingerprint()
            path.write_text(LONG)
            yield passages(tmp_path, license="MIT").fingerprint()

        found = list(prints())
        assert len(set(found)) == len(found)


def _large_jsonl(path: Path) -> None:
    with path.open("w") as file:
        for number in range(30 * MIB // 3000):
            file.write(json.dumps({"n": number, "text": WORDS}) + "\n")


def _large_csv(path: Path) -> None:
    with path.open("w") as file:
        file.write("n,text\n")
        for number in range(30 * MIB // 3000):
            file.write(f'{number},"{WORDS}"\n')


def _large_parquet(path: Path) -> None:
    rows = 30 * MIB // 3000
    table = pa.table({"text": [f"{number} {WORDS}" for number in range(rows)]})
    pq.write_table(table, path, compression="none", use_dictionary=False)


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.jsonl", _large_jsonl), ("a.csv", _large_csv), ("a.parquet", _large_parquet)],
)
def test_a_large_file_is_never_in_memory(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    path = tmp_path / name
    write(path)
    rows_of(write_parquet(tmp_path / "warm.parquet", text=[LONG]))
    pa.default_memory_pool().release_unused()
    arrow_before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        source: Source = passages(path, license="MIT")
        count = 0
        for row in source.rows():
            count += not row.reject
            if count % 1000 == 0:
                assert pa.total_allocated_bytes() - arrow_before < 8 * MIB
        source.fingerprint()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30 * MIB // 3000
    assert peak < 4 * MIB


class TestLineEnds:
    @pytest.mark.parametrize(("given", "expected"), [("a b", "a b\n"), ("a\r\nb", "a\r\nb\r\n"), ("a b\n", "a b\n")])
    def test_whole_lines_ends_a_passage_as_a_text_file_ends(self, tmp_path: Path, given: str, expected: str) -> None:
        path = write_jsonl(tmp_path / "a.jsonl", {"text": given})
        source = passages(path, license="MIT", shortest=1, longest=90, whole_lines=True)
        assert [row.fields["passage"] for row in source.rows()] == [expected]
        [as_it_is] = passages(path, license="MIT", shortest=1, longest=90).rows()
        assert as_it_is.fields["passage"] == given


def test_two_passages_of_one_line_have_places_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "one.txt"
    path.write_text("First sentence here. " * 3 + "\n")
    first, second, *_ = rows_of(path, shortest=15, longest=30)
    assert (first.place, second.place) == ("one.txt, line 1", "one.txt, line 1, character 22")
