"""Only what its metadata clearly allows is let in, with its notice; the rest is named with the doubt that it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from retroweave.sources.distributions import Distribution, Skipped, installed_distributions, is_permissive

CODE = "def f(a):\n    return a\n"
MIT_BY_CLASSIFIER = ["Classifier: License :: OSI Approved :: MIT License"]


def install(
    folder: Path, name: str, *metadata: str, files: tuple[str, ...] = (), notice: str | None = "Keep me."
) -> None:
    """What an installer leaves behind."""
    info = f"{name}-1.0.dist-info"
    code = list(files or (f"{name}/code.py",))
    notices = [] if notice is None else [f"{info}/licenses/LICENSE"]
    for file in [*code, *notices]:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(notice if notice and file in notices else CODE)
    (folder / info).mkdir(exist_ok=True)
    head = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    (folder / info / "METADATA").write_text("\n".join(head + list(metadata)))
    (folder / info / "RECORD").write_text("".join(f"{file},,\n" for file in [*code, *notices]))


def only(folder: Path) -> Distribution | Skipped:
    found, skipped = installed_distributions([str(folder)])
    every: list[Distribution | Skipped] = [*found, *skipped]
    (one,) = every
    return one


@pytest.mark.parametrize(
    ("metadata", "license"),
    [
        (["License-Expression: MIT"], "MIT"),
        (["License-Expression: apache-2.0 or bsd-2-clause"], "Apache-2.0 OR BSD-2-Clause"),
        (["License-Expression: MIT OR GPL-3.0-only"], "MIT OR GPL-3.0-only"),
        (MIT_BY_CLASSIFIER, "MIT"),
        (["License: MIT License"], "MIT"),
        (["License: The MIT License (MIT)"], "MIT"),
        (["License: Apache License, Version 2.0"], "Apache-2.0"),
        (["License: BSD-3-Clause", "Classifier: License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        (["License: Apache 2.0", "Classifier: License :: OSI Approved :: Apache Software License"], "Apache-2.0"),
        (["License: Apache-2.0", *MIT_BY_CLASSIFIER], "Apache-2.0 AND MIT"),
        (["License: MIT", "Classifier: License :: OSI Approved"], "MIT"),
    ],
)
def test_a_permissive_licence_is_read_from_the_metadata(tmp_path: Path, metadata: list[str], license: str) -> None:
    install(tmp_path, "pkg", *metadata)
    found = only(tmp_path)
    assert isinstance(found, Distribution)
    assert (found.name, found.version, found.license, found.files) == ("pkg", "1.0", license, ("pkg/code.py",))


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ([], "names no licence"),
        (["License: UNKNOWN"], "names no licence"),
        (["License: see the file"], "names no licence"),
        (["License: " + "Permission is hereby granted " * 20], "names no licence"),
        (["License-Expression: MIT-ish"], "is not SPDX"),
        (["License-Expression: GPL-3.0-only"], "asks for more than to keep a notice"),
        (["License-Expression: MPL-2.0 AND MIT"], "MPL-2.0 AND MIT asks for more"),
        (["License-Expression: LicenseRef-Own"], "asks for more"),
        (["Classifier: License :: OSI Approved :: BSD License"], "does not say which version"),
        (["License: MIT", "Classifier: License :: OSI Approved :: BSD License"], "does not say which version"),
        (["License: MIT", "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)"], "not known"),
        (["License: MIT", "Classifier: License :: Other/Proprietary License"], "not known as permissive"),
    ],
)
def test_a_licence_that_leaves_a_doubt_keeps_a_distribution_out(tmp_path: Path, metadata: list[str], why: str) -> None:
    install(tmp_path, "pkg", *metadata)
    found = only(tmp_path)
    assert isinstance(found, Skipped)
    assert found.name == "pkg"
    assert why in found.why


def test_a_licence_without_its_notice_cannot_be_kept_to(tmp_path: Path) -> None:
    install(tmp_path, "pkg", "License-Expression: MIT", notice=None)
    install(tmp_path, "free", "License-Expression: CC0-1.0", notice=None)
    found, skipped = installed_distributions([str(tmp_path)])
    assert [one.name for one in found] == ["free"]
    assert [one.why for one in skipped] == ["MIT asks to keep its notice, and none is installed with it"]


def test_the_notice_is_kept_with_its_file_and_what_it_belongs_to(tmp_path: Path) -> None:
    install(tmp_path, "pkg", "License-Expression: MIT", notice="Copyright me.")
    found = only(tmp_path)
    assert isinstance(found, Distribution)
    (notice,) = found.notices
    assert (notice.origin, notice.license, notice.text) == ("pkg 1.0", "MIT", "Copyright me.")
    assert notice.file == "pkg-1.0.dist-info/licenses/LICENSE"
    assert len(notice.hash) == 32


def test_tests_and_vendored_code_and_what_lies_outside_are_left_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(CODE)
    names = ("pkg/a.py", "pkg/_vendor/b.py", "pkg/tests/c.py", "pkg/conftest.py", "../outside.py")
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", "pkg", "License-Expression: MIT", files=names)
    found = only(tmp_path / "site")
    assert isinstance(found, Distribution)
    assert found.files == ("pkg/a.py",)


def test_a_distribution_without_python_files_is_named(tmp_path: Path) -> None:
    install(tmp_path, "pkg", "License-Expression: MIT", files=("pkg/a.so",))
    found = only(tmp_path)
    assert isinstance(found, Skipped)
    assert "no Python files" in found.why


def test_the_address_of_the_source_is_preferred_to_the_home_page(tmp_path: Path) -> None:
    urls = ["Home-page: https://example.org", "Project-URL: Source, https://example.org/code"]
    install(tmp_path, "pkg", "License-Expression: MIT", *urls)
    found = only(tmp_path)
    assert isinstance(found, Distribution)
    assert found.url == "https://example.org/code"


def test_broken_metadata_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken-1.dist-info").mkdir()
    (tmp_path / "broken-1.dist-info" / "METADATA").write_bytes(b"\xff\xfe\0")
    install(tmp_path, "pkg", "License-Expression: MIT")
    found, skipped = installed_distributions([str(tmp_path)])
    assert [one.name for one in found] == ["pkg"]
    assert len(skipped) == 1


@pytest.mark.parametrize(
    "expression", ["MIT", "0BSD", "CC0-1.0", "PSF-2.0", "Apache-2.0 AND MIT", "MIT OR GPL-3.0-only"]
)
def test_what_asks_for_its_notice_alone_is_permissive(expression: str) -> None:
    assert is_permissive(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "GPL-2.0-only",
        "MPL-2.0",
        "LGPL-3.0-or-later",
        "CC-BY-NC-4.0",
        "CC-BY-SA-4.0",
        "CC-BY-ND-4.0",
        "LicenseRef-X",
        "?",
    ],
)
def test_what_asks_for_more_is_not_permissive(expression: str) -> None:
    assert not is_permissive(expression)
