"""How diagnostics are drawn."""

from __future__ import annotations

from birc.errors import BEFORE_MARK, LONGEST_LINE, Diagnostic, Label, Source, Span


def span(source: Source, word: str, nth: int = 0) -> Span:
    """The `nth` occurrence of a word on the first line."""
    at = -1
    for _ in range(nth + 1):
        at = source.text.index(word, at + 1)
    return Span(source, 1, at + 1, 1, at + 1 + len(word))


def drawn(main: Span, *labels: Label, mark: str = "") -> list[str]:
    """What stands below the headline and the place."""
    return str(Diagnostic("X", "wrong", main, mark=mark, labels=labels)).splitlines()[2:]


def test_a_line_with_its_carets() -> None:
    source = Source("a.birc", "v = a + b")
    assert drawn(span(source, "b"), Label(span(source, "a"), "pA"), mark="mV") == [
        "  1 | v = a + b",
        "    |     ~ pA",
        "    |         ^ mV",
    ]


def test_a_line_of_the_greatest_length_is_shown_whole() -> None:
    source = Source("a.birc", "x" * (LONGEST_LINE - 1) + "y")
    assert drawn(span(source, "y")) == [f"  1 | {source.text}", "    | " + " " * (LONGEST_LINE - 1) + "^"]


def test_of_a_long_line_a_window_is_shown() -> None:
    source = Source("a.birc", "a" * 1000 + "here" + "b" * 1000)
    line, carets = drawn(span(source, "here"), mark="no")
    assert line == "  1 | …" + "a" * BEFORE_MARK + "here" + "b" * (LONGEST_LINE - BEFORE_MARK - 4) + "…"
    assert carets == "    | " + " " * (BEFORE_MARK + 1) + "^^^^ no"


def test_at_the_ends_of_a_long_line_nothing_is_left_out() -> None:
    source = Source("a.birc", "first" + "." * 1000 + "last")
    assert drawn(span(source, "first"))[0] == "  1 | first" + "." * (LONGEST_LINE - 5) + "…"
    assert drawn(span(source, "last"))[0] == "  1 | …" + "." * BEFORE_MARK + "last"


def test_places_far_apart_have_windows_of_their_own() -> None:
    source = Source("a.birc", "one" + "." * 20 + "two" + "." * 1000 + "three")
    first, carets, second, last = drawn(span(source, "three"), Label(span(source, "one"), ""), Label(span(source, "two"), "V"))
    assert (first[:35], carets) == ("  1 | one" + "." * 20 + "two...", "    | ~~~" + " " * 20 + "~~~ V")
    assert (second, last) == ("  1 | …" + "." * BEFORE_MARK + "three", "    | " + " " * (BEFORE_MARK + 1) + "^^^^^")


def test_carets_end_with_the_window() -> None:
    source = Source("a.birc", "x" * 5000)
    line, carets = drawn(span(source, source.text), mark="mV")
    assert line == "  1 | " + "x" * LONGEST_LINE + "…"
    assert carets == "    | " + "^" * LONGEST_LINE + " mV"
    tail = Span(source, 1, 4950, 3, 1)
    line, carets = drawn(tail)
    assert line.endswith("x") and carets.index("^") == line.index("x") + BEFORE_MARK and len(carets) == len(line)


def test_tabs_are_four_columns_wide() -> None:
    source = Source("a.birc", "\tv\t= x")
    assert drawn(span(source, "x")) == ["  1 |     v    = x", "    |            ^"]
