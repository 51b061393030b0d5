"""Standalone functions come with licence, place, address and cluster, and what is dropped is counted."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from retroweave.pipeline.errors import SourceError, UserError
from retroweave.pipeline.source import SourceRow
from retroweave.sources.functions import FIELDS, Corpus, Notices, functions

GOOD = "def {name}(text):\n    words = text.split()\n    words.sort()\n    return words[:{count}]\n"
BAD = "def {name}(path):\n    a = open(path)\n    b = a.read()\n    return b\n"


def one(name: str, count: int = 2) -> str:
    return GOOD.format(name=name, count=count)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.py").write_text(one("first") + "\n\n" + BAD.format(name="reads") + "\n\n" + one("second"))
    (tmp_path / "sub" / "b.py").write_text("import re\n\n" + one("third", 3) + "\n\nclass C:\n    def m(self): pass\n")
    (tmp_path / "old.py").write_text("print 'hello'\n")
    return tmp_path


def rows_of(path: Path, **options: object) -> dict[str, SourceRow]:
    return {row.key: row for row in functions(path, **{"license": "MIT", **options}).rows()}  # type: ignore[arg-type]


class TestRows:
    def test_a_row_has_the_function_its_licence_and_its_place(self, code: Path) -> None:
        row = rows_of(code)["sub/b.py::third"]
        assert row.fields == {
            "code": one("third", 3),
            "function": "third",
            "signature": "def third(text):",
            "docstring": "",
            "statements": 3,
            "url": "",
        }
        assert (row.license, row.place, row.reject) == ("MIT", "sub/b.py, lines 3-6", "")

    def test_a_file_that_cannot_be_read_is_a_reject_and_a_function_that_is_dropped_is_none(self, code: Path) -> None:
        rows = rows_of(code)
        assert sorted(rows) == ["a.py::first", "a.py::second", "old.py", "sub/b.py::third"]
        assert rows["old.py"].reject == "the file is not read: Python 2"
        assert rows["old.py"].fields.keys() == FIELDS.keys()

    def test_each_function_has_its_first_turn_before_any_has_its_second(self, code: Path) -> None:
        corpus = Corpus.of(code, license="MIT")
        once = list(corpus.source().rows())
        source = corpus.source(turns=3)
        rows = list(source.rows())
        assert [row.key for row in rows[: len(once)]] == [row.key for row in once]
        assert [row.fields["turn"] for row in rows if not row.reject] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert [row.reject for row in rows if row.reject] == ["the file is not read: Python 2"]
        assert len({row.key for row in rows}) == len(rows)
        assert {row.cluster for row in rows if "third" in row.key} == {"a.py::first"}
        assert all(row.fields.keys() == source.fields.keys() for row in rows)

    def test_near_duplicates_share_a_cluster(self, code: Path) -> None:
        rows = rows_of(code)
        assert rows["a.py::first"].cluster == rows["a.py::second"].cluster == "a.py::first"

    def test_rows_come_the_same_each_time_and_not_in_the_order_of_the_files(self, tmp_path: Path) -> None:
        (tmp_path / "many.py").write_text("\n\n".join(one(f"f{n:02}", n) for n in range(30)))
        source = functions(tmp_path, license="MIT")
        keys = [row.key for row in source.rows()]
        assert keys == [row.key for row in source.rows()] == list(rows_of(tmp_path))
        assert keys != sorted(keys)
        assert len(set(keys)) == 30

    def test_one_file_may_be_named(self, code: Path) -> None:
        assert sorted(rows_of(code / "a.py")) == ["a.py::first", "a.py::second"]

    def test_the_fingerprint_changes_with_what_is_read(self, code: Path) -> None:
        before = functions(code, license="MIT").fingerprint()
        assert functions(code, license="MIT").fingerprint() == before
        assert functions(code, license="0BSD").fingerprint() != before
        (code / "a.py").write_text(one("first"))
        assert functions(code, license="MIT").fingerprint() != before


class TestLicences:
    def test_a_file_may_name_its_own_licence(self, code: Path) -> None:
        (code / "c.py").write_text("# SPDX-License-Identifier: apache-2.0\n" + one("fourth"))
        rows = rows_of(code, licenses=("MIT", "Apache-2.0"))
        assert rows["c.py::fourth"].license == "Apache-2.0"
        assert rows_of(code)["c.py"].reject == "the file is not read: another licence"

    def test_a_licence_that_is_none_is_another_one(self, code: Path) -> None:
        (code / "c.py").write_text("# SPDX-License-Identifier: mine!\n" + one("fourth"))
        assert rows_of(code)["c.py"].reject == "the file is not read: another licence"

    def test_files_alone_may_say_it(self, code: Path) -> None:
        (code / "c.py").write_text("# SPDX-License-Identifier: MIT\n" + one("fourth"))
        source = functions(code)
        assert source.licenses == ("MIT",)
        assert {row.key: row.reject for row in source.rows() if row.key in ("c.py::fourth", "a.py")} == {
            "c.py::fourth": "",
            "a.py": "the file is not read: no licence",
        }

    def test_code_without_any_licence_is_refused_with_what_to_pass(self, code: Path) -> None:
        with pytest.raises(UserError, match=r"no licence is given.*--license ID"):
            functions(code)

    def test_a_licence_for_nothing_is_refused(self) -> None:
        with pytest.raises(UserError, match="--code DIR"):
            functions(license="MIT")

    def test_the_notice_of_a_folder_is_its_licence_file(self, code: Path) -> None:
        (code / "LICENSE.txt").write_text("Keep this.")
        (notice,) = Corpus.of(code, license="MIT").notices()
        assert (notice.license, notice.file, notice.text) == ("MIT", "LICENSE.txt", "Keep this.")

    def test_a_run_is_handed_the_notices_and_what_they_belong_to(self, code: Path) -> None:
        (code / "LICENSE.txt").write_text("Keep this.")
        (code / "NOTICE").write_text("And this.")
        notices = Notices(Corpus.of(code, license="MIT"))
        assert notices.manifest()["notices"] == [
            {"of": "the code", "license": "MIT", "file": "LICENSE.txt"},
            {"of": "the code", "license": "MIT", "file": "NOTICE"},
        ]
        assert notices.notice() == "the code (MIT)\n\nKeep this.\n\n\nthe code (MIT)\n\nAnd this.\n"


class TestWhatIsMissing:
    @pytest.mark.parametrize("name", ["nothing", "notes.txt", "empty"])
    def test_where_there_is_no_code_that_is_said_at_once(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "notes.txt").write_text("x")
        (tmp_path / "empty").mkdir()
        with pytest.raises(SourceError) as error:
            functions(tmp_path / name, license="MIT")
        assert str(tmp_path / name) in str(error.value)

    @pytest.mark.parametrize("turns", [0, 3])
    def test_where_no_function_can_be_used_it_is_said_what_was_looked_at_and_what_mends_it(
        self, tmp_path: Path, turns: int
    ) -> None:
        (tmp_path / "a.py").write_text(f"import os\n\n{BAD.format(name='reads')}\n\nclass C:\n    def m(self): pass\n")
        (tmp_path / "b.py").write_text("def small(x):\n    return x\n")
        (tmp_path / "old.py").write_text("print 'hello'\n")
        with pytest.raises(SourceError) as error:
            next(Corpus.of(tmp_path, license="MIT").source(turns).rows())
        said = str(error.value)
        assert str(tmp_path) in said
        assert "looked at 3 files with 3 functions" in said
        assert "1 input or output (it opens, prints or asks)" in said
        assert "1 short (fewer than 3 statements)" in said
        assert "1 inside a class or another function" in said
        assert "Not read: 1 file, such as old.py: Python 2." in said
        assert "`--standard`" in said

    def test_nothing_at_all_is_refused(self) -> None:
        with pytest.raises(UserError, match="No code is named"):
            functions(standard=False)


def test_the_survey_counts_all_that_was_read_and_dropped(code: Path) -> None:
    survey = Corpus.of(code, license="MIT").survey()
    assert (survey.files, survey.functions, survey.top_level, survey.standalone) == (3, 5, 4, 3)
    assert survey.clusters == 1
    assert survey.reasons == {"input or output": 1}
    assert survey.details["input or output"] == {"open": 1}
    assert survey.unread == {"Python 2": 1}
    assert survey.licenses == {"MIT": 3}
    assert orjson.loads(orjson.dumps(survey.as_json()))["details"] == {"input or output": {"open": 1}}


def test_to_count_no_licence_is_needed(code: Path) -> None:
    (code / "c.py").write_text("# SPDX-License-Identifier: GPL-3.0-only\n" + one("fourth"))
    survey = Corpus.of(code, license="LicenseRef-Unnamed", licenses=()).survey()
    assert survey.licenses == {"LicenseRef-Unnamed": 3, "GPL-3.0-only": 1}


def test_the_standard_library_is_read_where_nothing_else_is_named() -> None:
    corpus = Corpus.of()
    assert corpus.licenses == ("PSF-2.0",)
    rows = {row.key: row for row in corpus.source().rows()}
    survey = corpus.survey()
    assert survey.standalone > 150
    assert survey.standalone + sum(survey.reasons.values()) == survey.top_level
    assert len(rows) == survey.standalone + sum(survey.unread.values())
    row = rows["stdlib/textwrap.py::dedent"]
    assert row.license == "PSF-2.0"
    assert row.place.startswith("Python 3.")
    assert row.fields["url"].startswith("https://github.com/python/cpython/blob/v3.")
    assert not any("/test/" in key or "site-packages" in key for key in rows)
    # Their heads say that they came from elsewhere, under terms of their own.
    assert rows["stdlib/trace.py"].reject == "the file is not read: terms of its own"
    assert [notice.license for notice in corpus.notices()] == ["PSF-2.0"]
