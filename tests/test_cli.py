"""The command line: what it prints, what it writes, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from birc.backends import BACKENDS
from birc.cli import commands, main
from birc.cli.arguments import SUBPARSERS
from birc.cli.commands import COMMANDS

ROOT = Path(__file__).parent.parent

DECAY = """neuron Decay:
    param tau = 10 ms
    state v = 1
    input I: 1
    tau * v' = -v + I
    spike when v >= 2:
        v = 0

check Decay:
    drive I = 4 for 100 ms
    expect count >= 1
"""


@pytest.fixture
def decay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small model in an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decay.birc").write_text(DECAY, "utf-8")
    return "decay.birc"


Capture = pytest.CaptureFixture[str]


def test_commands_and_their_arguments_agree() -> None:
    assert list(COMMANDS) == list(SUBPARSERS)


@pytest.mark.parametrize("command", list(SUBPARSERS))
def test_every_command_has_help(command: str, capsys: Capture) -> None:
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: birc {command}")


def test_version_and_help(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "birc 0.1.0\n"
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["chekc"], "error[A001]: there is no command `chekc`\n  help: did you mean `check`?\n"),
        (["check"], "error[A002]: the following arguments are required: FILE\n  help: `birc check --help` lists the arguments\n"),
        (["check", "--jsno", "lif"], "error[A002]: `birc check` has no option `--jsno`\n  help: did you mean `--json`?\n"),
        (["run", "lif", "--fro", "1 s"], "error[A002]: `birc run` has no option `--fro`\n  help: did you mean `--for`?\n"),
        (["run", "lif", "--for", "1", "s"], "error[A002]: one argument too many: `s`\n  help: a value with spaces needs quotes\n"),
        (
            ["dump", "lif", "--stage", "setp"],
            "error[A002]: argument --stage: `setp` is none of ast, model, step, adjoint; did you mean `step`?\n"
            "  help: `birc dump --help` lists the arguments\n",
        ),
        (
            ["run", "lif", "--for", "1 s", "-n", "1.5"],
            "error[A002]: argument -n: `1.5` is no whole number of at least 1\n  help: `birc run --help` lists the arguments\n",
        ),
        (
            ["run", "lif", "--for", "1 s", "--set", "R=1 Gohm", "--set", "R=2 Gohm"],
            "error[A003]: `--set` names `R` twice\n  help: keep one of `1 Gohm` and `2 Gohm`\n",
        ),
        (["explain", "U999"], "error[A004]: there is no code `U999`"),
        (["models", "lfi"], "error[A005]: there is no model `lfi` in the library\n  help: did you mean `lif`?\n"),
        (["compile", "lif", "--target", "natvie"], "error[A010]: there is no target `natvie`\n  help: did you mean `native`?"),
    ],
)
def test_wrong_usage(arguments: list[str], error: str, capsys: Capture) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(error)


def test_no_command(capsys: Capture) -> None:
    assert main([]) == 2
    assert "birc COMMAND" in capsys.readouterr().err


# --- check


def test_check(decay: str, capsys: Capture) -> None:
    assert main(["check", decay]) == 0
    assert capsys.readouterr().out == "decay.birc: 1 item, 1 of 1 expectation met\n"


def test_check_reports_all_files(decay: str, capsys: Capture) -> None:
    Path("wrong.birc").write_text("neuron A:\n    param tau = 10 ms\n    state v = 0\n    tau * v' = -u\n", "utf-8")
    assert main(["check", "wrong.birc", decay]) == 1
    captured = capsys.readouterr()
    assert "wrong.birc:4:17" in captured.err
    assert captured.out == "decay.birc: 1 item, 1 of 1 expectation met\n"


def test_check_of_an_expectation_that_fails(decay: str, capsys: Capture) -> None:
    Path(decay).write_text(DECAY.replace("count >= 1", "count == 0"), "utf-8")
    assert main(["check", decay]) == 1
    captured = capsys.readouterr()
    assert "decay.birc:11" in captured.err
    assert "0 of 1 expectation met" in captured.out
    assert main(["check", "--no-run", decay]) == 0


def test_check_as_json(decay: str, capsys: Capture) -> None:
    assert main(["check", "--json", decay]) == 0
    assert json.loads(capsys.readouterr().out) == []
    Path("wrong.birc").write_text("neuron A:\n    state v = 0 mV\n    tau * v' = -v\n", "utf-8")
    assert main(["check", "--json", "wrong.birc"]) == 1
    captured = capsys.readouterr()
    records = json.loads(captured.out)
    assert captured.err == ""
    assert {record["severity"] for record in records} >= {"error"}
    assert records[0]["span"]["file"] == "wrong.birc"
    assert records[0]["span"]["line"] == 3


def test_missing_file(decay: str, capsys: Capture) -> None:
    assert main(["dump", "dceay.birc"]) == 2
    assert "did you mean" in capsys.readouterr().err


# --- fmt


def test_fmt(decay: str, capsys: Capture) -> None:
    assert main(["fmt", "--check", decay]) == 0
    assert capsys.readouterr().out == ""
    Path(decay).write_text(DECAY.replace("-v + I", "-v+I"), "utf-8")
    assert main(["fmt", "--check", decay]) == 1
    assert "-v+I" in Path(decay).read_text("utf-8")
    assert main(["fmt", decay]) == 0
    assert Path(decay).read_text("utf-8") == DECAY
    assert capsys.readouterr().out == "decay.birc: not in form\ndecay.birc: put in form\n"


# --- dump and explain


@pytest.mark.parametrize(("stage", "start"), [("ast", "Module decay.birc"), ("model", "bir 1"), ("step", "bir 1")])
def test_dump(stage: str, start: str, decay: str, capsys: Capture) -> None:
    assert main(["dump", decay, "--stage", stage]) == 0
    out = capsys.readouterr().out
    assert out.startswith(start)
    assert "Decay" in out


def test_dump_behind_passes(decay: str, capsys: Capture) -> None:
    assert main(["dump", decay, "--after-all"]) == 0
    every = capsys.readouterr().out
    assert "lower-to-step" in every
    assert main(["dump", decay, "--after", "choose-solvers"]) == 0
    one = capsys.readouterr().out
    assert "exact" in one
    assert main(["dump", decay, "--after", "chose-solvers"]) == 2
    assert "did you mean `choose-solvers`" in capsys.readouterr().err


def test_dump_in_other_forms(decay: str, capsys: Capture) -> None:
    assert main(["dump", decay, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert main(["dump", decay, "--format", "dot"]) == 0
    assert capsys.readouterr().out.startswith("digraph")


def test_explain_a_code(capsys: Capture) -> None:
    assert main(["explain", "a001"]) == 0
    assert capsys.readouterr().out.startswith("A001: there is no such command\n\n")


def test_explain_a_model(decay: str, capsys: Capture) -> None:
    assert main(["explain", decay]) == 0
    head, row = capsys.readouterr().out.splitlines()[:2]
    assert head.split()[:2] == ["variable", "method"]
    assert row.split()[:2] == ["v", "exact"]
    assert main(["explain", decay, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["method"] == "exact"


# --- compile


def test_compile(decay: str, capsys: Capture) -> None:
    assert main(["compile", decay, "--target", "numpy", "-o", "made"]) == 0
    assert "made" in capsys.readouterr().out
    assert json.loads(Path("made/manifest.json").read_text("utf-8"))["dt"]
    before = {file.name: file.read_bytes() for file in Path("made").iterdir()}
    assert main(["compile", decay, "--target", "numpy", "-o", "made"]) == 0
    assert {file.name: file.read_bytes() for file in Path("made").iterdir()} == before


def test_compile_spares_the_files_of_others(decay: str, capsys: Capture) -> None:
    Path("made").mkdir()
    Path("made/notes.txt").write_text("mine", "utf-8")
    assert main(["compile", decay, "-o", "made"]) == 2
    assert [file.name for file in Path("made").iterdir()] == ["notes.txt"]
    assert "notes.txt" in capsys.readouterr().err
    assert main(["compile", decay, "-o", "made", "--force"]) == 0
    assert Path("made/notes.txt").read_text("utf-8") == "mine"


def test_nothing_is_written_of_a_wrong_model(decay: str) -> None:
    Path(decay).write_text(DECAY.replace("-v + I", "-v + J"), "utf-8")
    assert main(["compile", decay, "-o", "made"]) == 1
    assert not Path("made").exists()


# --- run


def test_run(decay: str, capsys: Capture) -> None:
    assert main(["run", decay, "--for", "50 ms", "--dt", "0.5 ms", "--input", "I=1", "-o", "out.npz"]) == 0
    assert capsys.readouterr().out == (
        "Decay on numpy: 1 neuron, 50 ms, dt 0.5 ms, f64, seed 0\n  0 spikes, 0 Hz\n  v: from 1 to 1\n  wrote out.npz\n"
    )
    with np.load("out.npz", allow_pickle=False) as saved:
        assert saved["v"].shape == (100, 1)
        assert np.array_equal(saved["v"], np.ones((100, 1)))


def test_run_with_everything_set(decay: str, capsys: Capture) -> None:
    arguments = ["run", decay, "--for", "50 ms", "-n", "3", "--set", "tau=20 ms", "--init", "v=0", "--input", "I=0", "--record", "v,spikes"]
    assert main([*arguments, "--every", "1 ms", "-o", "a.npz", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["n"] == 3
    assert record["recorded"] == {"v": "1"}
    with np.load("a.npz", allow_pickle=False) as saved:
        assert saved["v"].shape == (50, 3)
        assert not saved["v"].any()


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        (["--input", "J=1"], 2),
        (["--input", "1"], 2),
        (["--set", "tau=1 mV"], 2),
        (["--set", "tua=1 ms"], 2),
        (["--dt", "0 ms"], 2),
        (["--record", "x"], 2),
        (["-n", "1000000000000"], 2),
        (["-o", "out.pkl"], 2),
        (["--model", "Dceay"], 2),
        (["--preset", "FS"], 2),
        (["--without", "lower-to-step"], 2),
    ],
)
def test_run_refuses(extra: list[str], code: int, decay: str, capsys: Capture) -> None:
    assert main(["run", decay, "--for", "10 ms", *extra]) == code
    assert capsys.readouterr().err.startswith("error[")
    assert [file.name for file in Path().iterdir()] == ["decay.birc"]


def test_run_draws(decay: str) -> None:
    pytest.importorskip("matplotlib")
    assert main(["run", decay, "--for", "50 ms", "--input", "I=4", "--plot", "out.png"]) == 0
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


# --- verify, targets, passes, models


def test_verify(decay: str, capsys: Capture) -> None:
    assert main(["verify", decay, "--target", "numpy"]) == 0
    assert "pass" in capsys.readouterr().out
    assert main(["verify", decay, "--target", "numpy", "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert set(record) >= {"target", "model", "status", "level", "worst", "where", "reason", "span"}
    assert record["status"] == "pass"


def test_a_target_that_cannot_run_here(decay: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    assert main(["verify", decay, "--target", "native"]) == 3
    assert "unavailable" in capsys.readouterr().out
    assert main(["run", decay, "--for", "1 ms", "--target", "native"]) == 3
    assert "a C++ compiler" in capsys.readouterr().err
    assert main(["targets"]) == 0
    assert "lacks a C++ compiler" in capsys.readouterr().out


def test_targets(capsys: Capture) -> None:
    assert main(["targets"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["target", *BACKENDS]
    assert main(["targets", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["runs_here"] is True


def test_passes(capsys: Capture) -> None:
    assert main(["passes"]) == 0
    assert "lower-to-step" in capsys.readouterr().out


def test_models(capsys: Capture) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("LIF", "Izhikevich", "AdEx", "HH"))
    assert main(["models", "Izhikevich", "--source"]) == 0
    assert "neuron Izhikevich:" in capsys.readouterr().out


# --- what goes wrong outside a model


def _raise(error: type[BaseException]) -> Callable[[object], int]:
    def command(_: object) -> int:
        raise error("secret")

    return command


def test_a_bug_is_told_as_such(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.delenv("BIRC_DEBUG", raising=False)
    monkeypatch.setitem(commands.COMMANDS, "targets", _raise(RuntimeError))
    assert main(["targets"]) == 70
    assert "This is a bug in birc" in capsys.readouterr().err
    monkeypatch.setenv("BIRC_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["targets"])


def test_an_interruption_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(commands.COMMANDS, "targets", _raise(KeyboardInterrupt))
    assert main(["targets"]) == 130
    assert capsys.readouterr().err == "birc: interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe")
def test_a_reader_that_leaves_is_no_error() -> None:
    process = subprocess.Popen([sys.executable, "-m", "birc", "models", "adex"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
