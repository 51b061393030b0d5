"""The strict appliers: they take every right patch, and refuse every other with the line at fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from diff_match_patch import diff_match_patch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retroweave.text.diffs import dmp_patch, git_diff, unified_diff
from retroweave.verifiers.patches import (
    PatchError,
    apply_dmp,
    apply_unified,
    dmp_restores,
    unified_restores,
)

Apply = Callable[[str, str], str]
Write = Callable[[str, str], str]
FORMATS = pytest.mark.parametrize(
    ("write", "apply"), [(unified_diff, apply_unified), (git_diff, apply_unified), (dmp_patch, apply_dmp)]
)

SNIPPETS = [
    *("\n", "\n", "\n", "\r\n", "\r", "\t", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0", " ", "a", "b"),
    *("é", "e\u0301", "o\u0328\u0304", "\u202bאב\u202c", "العربية", "👩\u200d👩\u200d👧", "🇳🇴", "❤\ufe0f", "𝔄"),
    *("%", "%25", "%C3", "+", "-", "@", "@@ -1 +1 @@", "\\", "\\ No newline at end of file\n", "--- a\n", "+++ b\n"),
    *("diff --git a/x b/x\n", "index 0000000..1111111\n", "the quick brown fox. ", "long " * 1000, "\n\n\n"),
]
snippets = st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=8))
texts = st.lists(snippets, max_size=12).map("".join)
# Two texts with nothing in common are one dull patch; these share most of what they have.
edits = st.lists(st.one_of(snippets.map(lambda same: (same, same)), st.tuples(snippets, snippets)), max_size=30).map(
    lambda pieces: ("".join(old for old, _ in pieces), "".join(new for _, new in pieces))
)
pairs = st.one_of(edits, st.tuples(texts, texts))

OLD = "".join(f"line {number} of the sea\n" for number in range(1, 31))
NEW = OLD.replace("line 4 of", "line four off").replace("line 25 of", "line 25 of\n")
PATCHES: dict[Write, str] = {write: write(OLD, NEW) for write in (unified_diff, git_diff, dmp_patch)}


@FORMATS
@settings(max_examples=400, deadline=None)
@given(pairs)
@example(("", ""))
@example(("", "\n"))
@example(("a", "a\n"))
@example(("\n", ""))
def test_a_patch_applied_to_the_old_text_gives_the_new_one(write: Write, apply: Apply, pair: tuple[str, str]) -> None:
    old, new = pair
    assert apply(old, write(old, new)) == new


@settings(max_examples=400, deadline=None)
@given(pairs)
@example(("\n00", "0\n0"))
@example(("\r\n\n", "\n\r\n"))
def test_the_reference_library_reads_our_dmp_patches_and_writes_them_the_same(pair: tuple[str, str]) -> None:
    old, new = pair
    reference = diff_match_patch()
    hunks = reference.patch_fromText(dmp_patch(old, new))
    made, fits = reference.patch_apply(hunks, old)
    assert made == new
    assert all(fits)
    assert reference.patch_toText(hunks) == dmp_patch(old, new)


@settings(max_examples=200, deadline=None)
@given(pairs)
def test_patches_that_the_reference_library_writes_apply(pair: tuple[str, str]) -> None:
    old, new = pair
    reference = diff_match_patch()
    assert apply_dmp(old, reference.patch_toText(reference.patch_make(old, new))) == new


@FORMATS
@settings(max_examples=400, deadline=None)
@given(edits, st.data())
def test_the_applier_ends_with_a_text_or_a_patch_error_whatever_the_patch_holds(
    write: Write, apply: Apply, pair: tuple[str, str], data: st.DataObject
) -> None:
    old, new = pair
    lines = write(old, new).split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(snippets, max_size=2))
    garbled = "\n".join(lines)
    fault = _fault(apply, old, garbled)
    assert fault is None or 1 <= fault.line <= garbled.count("\n") + 1


def _fault(apply: Apply, text: str, patch: str) -> PatchError | None:
    try:
        apply(text, patch)
    except PatchError as error:
        return error
    return None


@FORMATS
@pytest.mark.parametrize(
    "other",
    [
        pytest.param("", id="an empty text"),
        pytest.param("A line more.\n" + OLD, id="the text further down"),
        pytest.param(OLD.replace("line 6 of", "line six of"), id="another context line"),
        pytest.param(OLD.replace("line 4 of", "line 44 of"), id="another line where one is to be removed"),
        pytest.param(NEW, id="the new text"),
    ],
)
def test_a_text_that_the_patch_was_not_made_for_is_refused(write: Write, apply: Apply, other: str) -> None:
    if write is dmp_patch:
        other = other.replace("line six of", "line 5 off")
    with pytest.raises(PatchError):
        apply(other, PATCHES[write])


UNIFIED = """\
--- passage.txt
+++ passage.txt
@@ -1,4 +1,4 @@
 one
-two
+2
 three
 four
@@ -7,3 +7,4 @@
 seven
 eight
+eight and a half
 nine
"""
NUMBERS = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"


@pytest.mark.parametrize(
    ("was", "now", "line", "problem"),
    [
        ("--- passage.txt\n", "", 1, "expected a line that begins with '--- '"),
        ("+++ passage.txt\n", "", 2, r"expected a line that begins with '\+\+\+ '"),
        ("--- p", "Here is the patch:\n--- p", 1, "found 'Here is the patch:'"),
        (" one\n", " won\n", 4, "line 1 of the text are not the same: after 0 characters .*'won"),
        (" one\n", " one \n", 4, r"after 3 characters the patch has ' \\n' and the text '\\n'"),
        (" one\n", " one\r\n", 4, "after 3 characters"),
        ("-two", "-too", 5, "line 2 of the text are not the same"),
        (" nine\n", " nine\n\\ No newline at end of file\n", 13, "line 9 of the text"),
        (" nine\n", "", 9, "counts 3 old and 4 new lines, and 2 and 3 follow"),
        (" four\n", "", 3, "counts 4 old and 4 new lines, and 3 and 3 follow"),
        ("+2\n", "+2\n+2.5\n", 3, "counts 4 old and 4 new lines, and 4 and 5 follow"),
        ("@@ -1,4 +1,4 @@", "@@ -1,3 +1,4 @@", 3, "counts 3 old and 4 new lines, and 4 and 4 follow"),
        ("@@ -1,4 +1,4 @@", "@@ -1,3 +1,3 @@", 8, "already has all that its header counts"),
        ("@@ -1,4 +1,4 @@", "@@ -1,5 +1,5 @@", 3, "counts 5 old and 5 new lines, and 4 and 4 follow"),
        ("@@ -1,4 +1,4 @@", "@@ -2,4 +1,4 @@", 3, "said to be after line 0, and is after line 1"),
        ("@@ -1,4 +1,4 @@", "@@ -2,4 +2,4 @@", 4, "line 2 of the text"),
        ("@@ -1,4 +1,4 @@", "@@ -0,4 +1,4 @@", 3, "0 is where only an empty range can begin"),
        ("@@ -7,3 +7,4 @@", "@@ -7,3 +8,4 @@", 9, "said to be after line 7, and is after line 6"),
        ("@@ -7,3 +7,4 @@", "@@ -2,3 +2,4 @@", 9, "hunks before it have used 4"),
        ("@@ -7,3 +7,4 @@", "@@ -70,3 +70,4 @@", 9, "has 9 lines"),
        ("@@ -7,3 +7,4 @@", "@@ -8,3 +8,4 @@", 10, "line 8 of the text"),
        ("@@ -7,3 +7,4 @@", "@@ -٧,3 +7,4 @@", 9, "expected a hunk's header"),
        ("@@ -7,3 +7,4 @@", "@@ -7,3 +7,4@@", 9, "expected a hunk's header"),
        ("@@ -7,3 +7,4 @@", "@@ -7,3 +7,4 @@seven", 9, "expected a hunk's header"),
        (" seven\n", "seven\n", 10, "begins with a space, a minus or a plus, and this is 'seven'"),
        (" seven\n", "\n", 10, "and this is nothing"),
        (" seven\n", "\\ no newline\n", 10, "begins with a space, a minus or a plus"),
        (" nine\n", " nine\n\n", 14, "expected another hunk or the end, .*found nothing"),
        (" nine\n", " nine\n-- \n2.39.5\n", 14, "expected another hunk or the end, .*found '-- '"),
        (" nine\n", " nine", 13, "stops in the middle of a line"),
        ("-two\n+2\n", " two\n", 3, "the hunk changes nothing"),
        ("+eight and", "+eight and\n\\ No newline at end of file\n+", 9, "counts 3 old and 4 new"),
        ("and a half\n", "and a half\n\\ No newline at end of file\n", 12, "before other lines of the new text"),
        ("+eight and a half\n", "+\n\\ No newline at end of file\n", 13, "no line"),
    ],
)
def test_a_spoiled_unified_patch_is_refused_with_its_line(was: str, now: str, line: int, problem: str) -> None:
    assert apply_unified(NUMBERS, UNIFIED) == NUMBERS.replace("two", "2").replace("nine", "eight and a half\nnine")
    assert UNIFIED.count(was) == 1
    with pytest.raises(PatchError, match=rf"^line {line} of the patch: .*{problem}"):
        apply_unified(NUMBERS, UNIFIED.replace(was, now))


def test_hunks_in_the_wrong_order_are_refused() -> None:
    header, first, second = UNIFIED.split("@@ -")
    with pytest.raises(PatchError, match=r"line 8 of the patch: .*hunks before it have used 9"):
        apply_unified(NUMBERS, f"{header}@@ -{second}@@ -{first}")


def test_a_dropped_hunk_does_not_restore() -> None:
    assert unified_restores(NUMBERS, UNIFIED, apply_unified(NUMBERS, UNIFIED))
    assert not unified_restores(NUMBERS, UNIFIED[: UNIFIED.index("@@ -7")], apply_unified(NUMBERS, UNIFIED))


def test_a_patch_for_two_files_is_refused() -> None:
    with pytest.raises(PatchError, match="line 14 of the patch: expected another hunk or the end"):
        apply_unified(NUMBERS, UNIFIED + UNIFIED)


def test_lines_added_after_a_last_line_without_newline_are_refused() -> None:
    with pytest.raises(PatchError, match="before other lines of the new text"):
        apply_unified("one", "--- a\n+++ a\n@@ -1,0 +2 @@\n+two\n")


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param("diff --git a/x b/x\nindex 814f4a4..3bd1f0e 100644\n--- a/x\n+++ b/x\n", id="git, as it comes"),
        pytest.param("diff --git a/x b/x\n--- a/x\n+++ b/x\n", id="git without hashes"),
        pytest.param("--- x\t2001-09-09 01:46:40.000000000 +0000\n+++ y\t2001-09-09 01:46:40 +0000\n", id="GNU"),
    ],
)
def test_headers_of_git_and_of_gnu_diff_are_read(patch: str) -> None:
    assert apply_unified("one\ntwo\n", patch + "@@ -2 +2 @@ one\n-two\n+2\n") == "one\n2\n"


def test_a_line_of_text_that_looks_like_a_header_is_text() -> None:
    old, new = "-- a\n++ b\n@@ -1 +1 @@\n", "-- a\n"
    for write in (unified_diff, git_diff):
        assert apply_unified(old, write(old, new)) == new
        assert apply_unified(new, write(new, old)) == old


@pytest.mark.parametrize("patch", ["--- a\n", "--- a\n+++ a\n", "diff --git a/a b/a\n", "\n", "\n\n", "no patch"])
def test_what_is_no_patch_is_refused(patch: str) -> None:
    for apply in (apply_unified, apply_dmp):
        with pytest.raises(PatchError):
            apply("a\n", patch)


DMP = "@@ -1,8 +1,9 @@\n 50%25 \n-of\n+off\n  a\n@@ -15,5 +15,4 @@\n li\n-t\n re\n"
PRICE = "50% of a 100 litre"


@pytest.mark.parametrize(
    ("was", "now", "line", "problem"),
    [
        ("@@ -1,8 +1,9 @@\n", "", 1, "expected a hunk's header"),
        ("@@ -1,8 +1,9 @@", "@@ -1,8 +1,9 @@ ", 1, "expected a hunk's header"),
        ("@@ -1,8 +1,9 @@", "@@ -1,9 +1,9 @@", 1, "counts 9 old and 9 new characters, and 8 and 9 follow"),
        ("@@ -1,8 +1,9 @@", "@@ -2,8 +2,9 @@", 2, "from character 2 of the text on are not the same"),
        ("@@ -1,8 +1,9 @@", "@@ -0,8 +0,9 @@", 1, "0 is where only an empty range can begin"),
        ("@@ -15,5 +15,4 @@", "@@ -14,5 +15,4 @@", 6, "after character 13 and after character 14"),
        ("@@ -15,5 +15,4 @@", "@@ -16,5 +16,4 @@", 7, "from character 16 of the text on"),
        ("@@ -15,5 +15,4 @@", "@@ -99,5 +99,4 @@", 7, "from character 99 .* the text nothing"),
        (" 50%25 ", " 40%25 ", 2, "after 0 characters the patch has '40% ' and the text '50% '"),
        ("-of\n", "-if\n", 3, "from character 5 of the text on"),
        (" li\n", "li\n", 7, "begins with a space, a minus or a plus"),
        (" li\n", " li\n\n", 8, "and this is nothing"),
        (" li\n", " li\n+\n", 8, "nothing follows the sign"),
        (" re\n", " re\nthat is all\n", 10, "begins with a space, a minus or a plus"),
        (" re\n", " re", 9, "stops in the middle of a line"),
        ("+off", "+%6", 4, "%6 is no escape"),
        ("+off", "+%C3o", 4, "not the UTF-8 of any text"),
        ("+off", "+%ED%A0%80", 4, "not the UTF-8 of any text"),
        ("+off", "+%2Coff", 4, "%2C is no escape"),
        ("-of\n+off\n", " of\n", 1, "counts 8 old and 9 new"),
    ],
)
def test_a_spoiled_dmp_patch_is_refused_with_its_line(was: str, now: str, line: int, problem: str) -> None:
    assert apply_dmp(PRICE, DMP) == "50% off a 100 lire"
    assert DMP.count(was) == 1
    with pytest.raises(PatchError, match=rf"^line {line} of the patch: .*{problem}"):
        apply_dmp(PRICE, DMP.replace(was, now))


def test_a_dmp_hunk_that_changes_nothing_is_refused() -> None:
    with pytest.raises(PatchError, match="line 1 of the patch: the hunk changes nothing"):
        apply_dmp("a", "@@ -1 +1 @@\n a\n")


def test_characters_that_a_person_wrote_without_escapes_stand_for_themselves() -> None:
    assert apply_dmp("cafe\u2028%", "@@ -3,4 +3,4 @@\n f\n-e\n+é\n \u2028%25\n") == "café\u2028%"


def test_restores_says_no_to_a_patch_that_is_malformed_or_makes_another_text() -> None:
    for write, restores in ((unified_diff, unified_restores), (git_diff, unified_restores), (dmp_patch, dmp_restores)):
        patch = write(OLD, NEW)
        assert restores(OLD, patch, NEW)
        assert not restores(OLD, patch, NEW + "\n")
        assert not restores(OLD, patch[:-1], NEW)
        assert not restores(NEW, patch, NEW)
        assert not restores(OLD, "", NEW)
        assert restores(OLD, "", OLD)
