"""The parts of the benchmarks that read and write: pages, and the talk with the programs of other simulators. Nothing here is timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from birc.backends.c_family import build
from tests.bench import compare, page, peers, session, simulate, timing
from tests.bench.__main__ import main
from tests.bench.cases import CASES, Case
from tests.bench.network_cases import NETWORK_CASES
from tests.bench.peers import __main__ as installer

OLD = "# How fast\n\n## One\n\nold\n\n## Two\n\nkept\n\n### below\n\n## Gone\n\nx\n"


def test_a_section_measured_anew_replaces_its_like_and_leaves_the_others() -> None:
    text = page.merged(OLD, {"One": "new", "Three": "more"}, ("One", "Two", "Three", "Four"))
    assert text == "# How fast\n\n## One\n\nnew\n\n## Two\n\nkept\n\n### below\n\n## Three\n\nmore\n"
    assert page.merged(text, {}, ("One", "Two", "Three")) == text


def test_a_page_is_written_where_there_was_none(tmp_path: Path) -> None:
    page.write(tmp_path / "new.md", {"One": "text"}, ("One",))
    assert (tmp_path / "new.md").read_text("utf-8") == "# How fast\n\n## One\n\ntext\n"


def test_tables_align_numbers_to_the_right() -> None:
    assert page.table(("a", "b", "c"), [("x", "y", "1")], left=2) == "| a | b | c |\n|---|---|---:|\n| x | y | 1 |"
    assert [page.millions(x) for x in (2.5e6, 99.94e6, 1.234e9)] == ["2.5", "99.9", "1,234"]


def test_the_clock_tells_of_two_threads_only_on_a_free_machine() -> None:
    one, two = simulate.Runs([2.0, 2.0, 2.0], [2.0, 2.1, 9.0]), simulate.Runs([2.0, 2.0, 2.0], [1.0, 1.05, 6.0])
    assert simulate.speedup(one, two) == "2.00x"
    assert simulate.speedup(simulate.Runs([2.0, 2.0, 2.0], [2.0, 2.3, 9.0]), two) == "-"


@pytest.mark.parametrize("line", ["NEST 3.10\n", "{not json}\n", '{"seconds": 1}\n', "[1]\n", "\n"])
def test_what_is_no_answer_is_passed_over(line: str) -> None:
    assert session.answer(line) is None


def test_an_answer_is_read() -> None:
    found = session.answer('{"version": "1", "scheme": "euler", "seconds": 0.5, "spikes": 3}\n')
    assert found is not None and found["spikes"] == 3


def test_the_reason_of_a_failure_is_the_last_line() -> None:
    assert session.reason("Traceback\n  x\nImportError: y\n\n") == "ImportError: y"
    assert session.reason("") == "it ended without a word"


ANSWERS = """
import json, sys
print("a banner")
for turn in range(3):
    print(json.dumps({"version": "1", "scheme": "euler", "seconds": turn, "spikes": 7, "arguments": sys.argv[1:]}), flush=True)
    if not sys.stdin.readline():
        break
print("out of turns", file=sys.stderr)
"""


class Fake(peers.Peer):
    """A simulator that is a line of Python."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", ANSWERS, *arguments]


FAKE = Fake("fake", "fake", {"fake": (5, 20)})
CASE = Case("fake", "Fake", "lif", "0.1 ms", None, 0.0, 400.0, 20)


def test_a_simulator_answers_when_asked_and_its_end_is_told() -> None:
    with compare.match(FAKE, CASE, "f64") as match:
        match.session.listen()
        assert " ".join(match.session.answer["arguments"]) == "lif --neurons 5 --steps 20 --dt 0.1 --dtype f64 --low 0.0 --high 400.0"
        assert [match.session.run(), match.session.run()] == [1.0, 2.0]
        with pytest.raises(session.PeerError, match="out of turns"):
            match.session.run()


@pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")
def test_a_simulator_that_fails_has_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ANSWERS", "import no_such_simulator")
    with compare.match(FAKE, CASE, "f64") as match:
        compare.take_turns(CASE, [match], 1)
        assert "failed: ModuleNotFoundError: No module named 'no_such_simulator'" in compare.row(CASE, match)
        assert len(compare.row(CASE, match)) == len(compare.HEAD)


@pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")
def test_a_simulator_runs_beside_native() -> None:
    with compare.match(FAKE, CASE, "f64") as match:
        compare.take_turns(CASE, [match], 2)
        assert (match.failure, match.theirs, len(match.ours)) == ("", [1.0, 2.0], 2)
        assert compare.row(CASE, match)[-3:] == ("5 x 20", "7", "0")


def test_what_is_not_installed_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "find_compiler", lambda: "c++")
    text = compare.section(CASES, 1)
    for peer in peers.PEERS:
        assert f"- {peer.title}: not installed; `python -m tests.bench.peers make {peer.environment}`" in text


def test_peers_have_programs_environments_and_cases() -> None:
    names = {case.name for case in (*CASES, *NETWORK_CASES)}
    for peer in (*peers.PEERS, *peers.NETWORK_PEERS):
        assert peer.environment in peers.ENVIRONMENTS
        assert peers.ROOT.joinpath("tests", "bench", "peers", f"{peer.program}.py").exists()
        assert set(peer.sizes) <= names


def test_an_unknown_simulator_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        installer.main(["make", "brain2"])
    assert "no simulator brain2; there are brian2, nest" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "--case", "lif", "--write"],
        ["start", "--peers"],
        ["--case", "squid"],
        ["speed"],
        ["network", "--case", "lif"],
        ["simulate", "--case", "cuba"],
        ["microcircuit", "--case", "cuba"],
        ["microcircuit", "--peers"],
    ],
)
def test_what_cannot_be_measured_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(words)
    assert refusal.value.code == 2


@pytest.mark.slow
@pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")
def test_the_floor_computes_what_native_computes(tmp_path: Path) -> None:
    floor = timing.floor_program("f64", tmp_path)
    for case in CASES:
        assert case.floor is not None, case.name
        small = Case(case.name, case.title, case.model, case.dt, case.solver, case.low, case.high, steps=2000, neurons=500)
        spikes = timing.floor_pace(floor, small)[1]
        native = timing.run(timing.compiled(small, "native", "f64"), small, small.steps, small.neurons)[2]
        assert spikes > 100 and abs(native - spikes) <= 1e-3 * spikes, case.name


def test_the_command_line_hands_its_words_on() -> None:
    command = [sys.executable, "-m", "birc", "bench", "network", "--case", "lif"]
    done = subprocess.run(command, cwd=timing.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "network has no case lif" in done.stderr
