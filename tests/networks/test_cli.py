"""Networks on the command line: what is compiled, and which options they do not take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from birc.cli import main

NET = """neuron Leaky:
    param tau_m = 10 ms in (0 ms, inf), v_th = 1
    state v = 0
    tau_m * v' = -v
    on exc(w: 1): v += w
    spike when v >= v_th: v = 0

network Net:
    param count = 3
    source S: poisson(rate = 100 Hz)[count]
    population E: Leaky[count]
    project S -> E.exc: w = 0.5, all_to_all
    record E.v every 1 ms
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small network in an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.birc").write_text(NET, "utf-8")
    return "net.birc"


@pytest.mark.parametrize(("target", "files"), [("native", {"Net.cpp"}), ("numpy", {"Leaky.py"})])
def test_compile_writes_the_files_of_a_network(net: str, target: str, files: set[str], capsys: Capture) -> None:
    assert main(["compile", net, "--model", "Net", "--target", target, "--set", "count=5"]) == 0
    folder = Path("out", f"Net-{target}")
    assert capsys.readouterr().out.startswith(f"Net for {target}, dt 0.1 ms, f64, in {folder}:\n")
    assert files <= {path.name for path in folder.iterdir()}
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (manifest["network"], manifest["params"]) == ("Net", {"count": "5"})
    assert "population E of Leaky count 5" in manifest["ir"]


def test_compile_refuses_what_takes_no_networks(net: str, capsys: Capture) -> None:
    assert main(["compile", net, "--model", "Net", "--target", "nir", "-o", "out"]) == 1
    assert capsys.readouterr().err == (
        "error[L112]: the target nir takes no networks yet\n"
        "  net.birc:8:1\n"
        "  8 | network Net:\n"
        "    | ^^^^^^^^^^^^\n"
        "  help: these do: numpy, native\n"
    )
    assert not Path("out").exists()


REFUSED = [
    (["run", "-n", "7"], "-n"),
    (["run", "--input", "I=1"], "--input"),
    (["run", "--init", "v=1"], "--init"),
    (["run", "--record", "v"], "--record"),
    (["run", "--every", "2"], "--every"),
    (["run", "--spikes", "located"], "--spikes"),
    (["compile", "--spikes", "located"], "--spikes"),
]


@pytest.mark.parametrize(("words", "option"), REFUSED, ids=[f"{words[0]}{option}" for words, option in REFUSED])
def test_what_a_network_says_itself_is_no_option(net: str, words: list[str], option: str, capsys: Capture) -> None:
    command, *rest = words
    duration = ["--for", "1 ms"] if command == "run" else []
    assert main([command, net, "--model", "Net", *duration, *rest]) == 2
    assert capsys.readouterr().err == (
        f"error[A017]: a network takes no `{option}`\n"
        "  help: write it into the network: `population E: LIF(tau_m = 10 ms)[800]`, `source`, `record E.v every 1 ms`\n"
    )


def test_run_warns_of_steps_that_are_too_long(net: str, capsys: Capture) -> None:
    """As `birc compile` does."""
    Path(net).write_text(NET.replace("    spike when", "    with solver euler on v\n    spike when"), "utf-8")
    for command in (["run", net, "--for", "50 ms"], ["compile", net]):
        assert main([*command, "--model", "Net", "--dt", "25 ms"]) == 0
        assert "warning[L120]: forward Euler is unstable for `v` with a step of 25 ms" in capsys.readouterr().err
