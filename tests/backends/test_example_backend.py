"""A target outside birc: found by its entry point, held to its level, and refused or reported like any other."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import birc
from birc.backends import BACKENDS, further, load_backend, target_names
from birc.cli import main
from birc.errors import BircError
from tests.conftest import Golden

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "backend_c99"
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def install(folder: Path, package: str, entries: str) -> None:
    """What an installer leaves of a package, as far as entry points go."""
    info = folder / f"{package.replace('-', '_')}-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[birc.backends]\n{entries}\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example as an installed package."""
    entry = (EXAMPLE / "pyproject.toml").read_text().partition('[project.entry-points."birc.backends"]\n')[2].partition("\n")[0]
    install(tmp_path, "birc-c99", entry.replace('"', ""))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path


def test_without_the_package_there_is_no_such_target() -> None:
    assert further() == {}
    with pytest.raises(BircError, match="there is no target `c99`"):
        load_backend("c99")


def test_the_page_holds_the_whole_example_and_stays_short() -> None:
    page = (EXAMPLE.parent.parent / "docs" / "writing_a_backend.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    told = [line for block in blocks for line in block.splitlines() if line]
    assert told == [line for line in (EXAMPLE / "birc_c99.py").read_text("utf-8").splitlines() if line]
    assert len(told) < 70
    assert (EXAMPLE / "pyproject.toml").read_text("utf-8").count('[project.entry-points."birc.backends"]\nc99 = "birc_c99:BACKEND"') == 1
    assert '```toml\n[project.entry-points."birc.backends"]\nc99 = "birc_c99:BACKEND"\n```' in page


def test_found_by_its_entry_point(installed: Path) -> None:
    assert target_names() == (*BACKENDS, "c99")
    assert load_backend("c99").description == "one plain C99 function per model"
    with pytest.raises(BircError, match="there is no target `c98`") as caught:
        load_backend("c98")
    assert caught.value.diagnostics[0].help == f"did you mean `c99`? (targets: {', '.join(target_names())})"


@pytest.mark.parametrize("model", ["lif", "lif_exp", "lif_alpha", "izhikevich", "adex", "alif"])
def test_held_to_its_level(installed: Path, model: str) -> None:
    (report,) = birc.verify(model, ["c99"])
    assert (report.target, report.status, report.level in ("L0", "L1")) == ("c99", "pass", True), report.reason + report.detail


def test_outputs_flags_and_inputs_that_act_at_once(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "m.birc").write_text(
        "neuron t1:\n    param float = 5 ms in (0 ms, inf), k = 2\n    state v = 0\n    input slot: 1\n    float * v' = k * slot - v\n"
        "    on bind(n: 1): v += n\n    output fired: 1 = v * slot + k\n    spike on rise v > 1\n"
    )
    (report,) = birc.verify(tmp_path / "m.birc", ["c99"])
    assert (report.status, report.level) == ("pass", "L0"), report.reason + report.detail
    made = [
        birc.compile(tmp_path / "m.birc", target=t).run("5 ms", n=2, inputs={"slot": 3.0}, record="fired,v", every=2)
        for t in ("c99", "numpy")
    ]
    assert made[0]["fired"].shape == (25, 2)
    for name in ("fired", "v"):
        assert (made[0][name] == made[1][name]).all()


def test_refuses_with_places(installed: Path) -> None:
    with pytest.raises(BircError) as caught:
        birc.compile("hodgkin_huxley", target="c99", dtype="f32")
    found = {d.message: d for d in caught.value.diagnostics}
    assert set(found) == {"the c99 target has no f32", "the c99 target has no `exprel`"}
    assert found["the c99 target has no f32"].help == "compile with `--dtype f64`"
    missing = found["the c99 target has no `exprel`"]
    places = [span for span in (missing.span, *(label.span for label in missing.labels)) if span is not None]
    assert any("gate n: alpha" in span.source.line(span.line) for span in places)


def test_its_text(installed: Path, golden: Golden) -> None:
    content = birc.compile("lif", target="c99").artifact.files["LIF.c"]
    assert isinstance(content, str)
    golden.check("golden/example_c99.txt", content)


def test_the_command_line_knows_it(installed: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["verify", "lif", "--target", "c99", "--for", "50 ms"]) == 0
    assert main(["compile", "lif", "--target", "c99", "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "LIF.c").exists()
    capsys.readouterr()
    assert main(["targets", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)[-1]
    assert (record["target"], record["runs_here"], record["levels"]) == ("c99", True, {"f64": "L1", "f32": ""})
    assert {"events that act one by one", "noise", "`exprel`", "`sigmoid`", "`heaviside`", "f32"} <= set(record["lacks"])
    assert not {"inputs", "outputs", "`exp`"} & set(record["lacks"])


def test_a_package_cannot_take_the_name_of_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "other", "numpy = nowhere:BACKEND")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert target_names() == tuple(BACKENDS)
    assert load_backend("numpy").description == "readable NumPy, the reference"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("odd = no_such_module:BACKEND", "the target `odd` of the package other cannot be loaded: No module named 'no_such_module'"),
        ("odd = json:BACKEND", "the target `odd` of the package other cannot be loaded: module 'json' has no attribute 'BACKEND'"),
        ("odd = json:dumps", "the target `odd` of the package other is no backend of this name: json:dumps"),
        (
            "odd = birc.backends.numpy:BACKEND",
            "the target `odd` of the package other is no backend of this name: birc.backends.numpy:BACKEND",
        ),
    ],
)
def test_a_package_that_does_not_work_is_named(
    entry: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    install(tmp_path, "other", entry)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(BircError) as caught:
        load_backend("odd")
    assert (caught.value.code, caught.value.diagnostics[0].message) == ("X006", message)
    assert main(["compile", "lif", "--target", "odd"]) == 3
    capsys.readouterr()
    assert main(["targets"]) == 0
    assert message in capsys.readouterr().out
