"""Every wrong file in this folder, and the whole text of what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc.errors import BircError, Source
from birc.frontend.load import load
from birc.frontend.read import read_source
from tests.conftest import Golden

FOLDER = Path(__file__).parent
FILES = sorted(p.name for p in FOLDER.glob("*.birc"))


def errors_of(name: str, monkeypatch: pytest.MonkeyPatch) -> BircError:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(BircError) as caught:
        load(read_source(name))
    return caught.value


@pytest.mark.parametrize("name", FILES)
def test_wrong_file(name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors_of(name, monkeypatch)
    golden.check(f"errors/{Path(name).with_suffix('.txt')}", f"{error}\n")
    codes = {d.code for d in error.diagnostics}
    if name[0].isupper():
        assert Path(name).stem.split("_")[0] in codes, "a file is named after the code that it shows"


def test_ten_mistakes_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors_of("ten_mistakes.birc", monkeypatch)
    assert len(error.diagnostics) == 10
    assert {d.code[0] for d in error.diagnostics} == {"S", "N", "U", "M"}
    lines = [d.span.line for d in error.diagnostics if d.span is not None]
    assert lines == sorted(lines)


def test_a_syntax_error_costs_its_line_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a line that cannot be read declares is not reported as missing elsewhere."""
    text = "neuron A:\n    state v == 0 mV\n    tau * v' = -v\n    param tau = 10 ms\n    spike when v >= 1\n"
    with pytest.raises(BircError) as caught:
        load(Source("a.birc", text))
    assert [d.code[0] for d in caught.value.diagnostics] == ["S"]
