"""A text's language is told by its small words or its letters, and not at all where there are too few of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retroweave.text.languages import language_of

TEXTS = {
    "English": "It was the third day of the storm, and they had not seen the coast for two of them.",
    "German": "Es war der dritte Tag des Sturms, und sie hatten die Küste seit zwei Tagen nicht mehr gesehen.",
    "French": "C'était le troisième jour de la tempête, et ils ne voyaient plus la côte depuis deux jours.",
    "Spanish": "Era el tercer día de la tormenta, y no se veía la costa desde el lunes por la mañana, como dijo el.",
    "Italian": "Era il terzo giorno di una tempesta che non voleva finire, e di lì non si vedeva più la costa.",
    "Dutch": "Het was de derde dag van de storm, en ze hadden de kust niet meer gezien, maar er was nog licht.",
    "Polish": "To był trzeci dzień sztormu i nie było już widać brzegu, ale w nocy było do nas tak blisko, że się bał.",
    "Cyrillic": "Был третий день бури, и берега давно не было видно.",
    "Greek": "Ήταν η τρίτη μέρα της τρικυμίας και η ακτή δεν φαινόταν.",
    "Chinese": "那是风暴的第三天，海岸早已看不见了。",
    "Japanese": "嵐の三日目で、海岸はもう見えなかった。",
    "Korean": "폭풍이 분 지 사흘째였고 해안은 보이지 않았다.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_language_is_told(language: str) -> None:
    assert language_of(TEXTS[language]) == language
    assert language_of(f"{TEXTS[language]} " * 20) == language


def test_a_few_foreign_names_change_nothing() -> None:
    assert language_of(f"{TEXTS['English']} Her name was Ольга, and 東京 was where she had grown up.") == "English"


@pytest.mark.parametrize(
    "text",
    ["", "yes", "3.14 2.71 1.41 " * 9, "def f(x):\n    return x + 1\n" * 5, "Oslo, Bergen, Tromsø, Narvik, Bodø " * 3],
)
def test_of_code_numbers_and_names_nothing_is_said(text: str) -> None:
    assert language_of(text) is None


@given(st.text())
def test_any_text_is_looked_at_without_a_fault(text: str) -> None:
    language_of(text)
