"""What ate a segment travels inside a capture; what strangers write there is no word of ours."""

from __future__ import annotations

import pytest

from tcpladder.analysis.lost_comments import lost_comment, words_of


@pytest.mark.parametrize("words", ["rule 1", "rule 12, log"])
def test_there_and_back(words: str) -> None:
    assert words_of(lost_comment(words)) == words
    assert words_of(f"tcpladder timers: []\n{lost_comment(words)}") == words


@pytest.mark.parametrize(
    "comment", ["", "rule 1", "tcpladder lost: ", "tcpladder lost: \x1b[31m", "tcpladder lost: " + "x" * 99]
)
def test_what_is_no_word_of_ours(comment: str) -> None:
    assert words_of(comment) is None
