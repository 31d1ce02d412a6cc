"""Files and names: imports from the library and from neighbouring files, and what they cannot reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc.errors import BircError, Source
from birc.frontend.load import load
from birc.frontend.names import in_order
from birc.frontend.read import read_source
from birc.frontend.resolve import library_index, library_source
from birc.ir.model import Model, Module

CHANNEL = "channel K:\n    param g = 1 mS/cm^2\n    outward i = g * (v + 77 mV)\n"
NEURON = "neuron A:\n    param C = 1 uF/cm^2\n    use K as k\n    state v = -65 mV\n    C * v' = -k.i\n"


def write(folder: Path, **files: str) -> None:
    for name, body in files.items():
        path = folder / name.replace("__", "/").replace("_birc", ".birc")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, "utf-8")


def load_file(path: Path) -> Module:
    return load(read_source(path))


def codes(path: Path) -> list[str]:
    with pytest.raises(BircError) as caught:
        load_file(path)
    return [d.code for d in caught.value.diagnostics]


def test_from_a_file_beside(tmp_path: Path) -> None:
    write(tmp_path, a_birc=f'from "k.birc" use K\n{NEURON}', k_birc=CHANNEL)
    (model,) = load_file(tmp_path / "a.birc").items
    assert isinstance(model, Model)
    assert model.uses[0].channel.name == "K"


def test_from_a_file_below_that_imports_in_turn(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_birc='from "models/b.birc" use B\nneuron A extends B:\n    param C = 2 uF/cm^2\n',
        models__b_birc=f'from "parts/k.birc" use K\n{NEURON.replace("neuron A", "neuron B")}',
        models__parts__k_birc=CHANNEL,
    )
    (model,) = load_file(tmp_path / "a.birc").items
    assert isinstance(model, Model)
    assert model.uses[0].channel.span is not None
    assert model.uses[0].channel.span.source.name == str(tmp_path / "models" / "parts" / "k.birc")


def test_what_a_file_imports_is_not_passed_on(tmp_path: Path) -> None:
    write(tmp_path, a_birc='from "b.birc" use K\nneuron A:\n    state v = 0\n', b_birc=f'from "k.birc" use K\n{NEURON}', k_birc=CHANNEL)
    assert codes(tmp_path / "a.birc") == ["N114"]


def test_two_files_that_share_a_third(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_birc=f'from "k.birc" use K\nfrom "b.birc" use B\n{NEURON}',
        b_birc=f'from "k.birc" use K\n{NEURON.replace("neuron A", "neuron B")}',
        k_birc=CHANNEL,
    )
    assert [i.name for i in load_file(tmp_path / "a.birc").items] == ["A"]


def test_errors_of_imported_files_are_reported_with_their_place(tmp_path: Path) -> None:
    write(tmp_path, a_birc=f'from "k.birc" use K\n{NEURON}', k_birc=CHANNEL.replace("77 mV", "77 mW"))
    with pytest.raises(BircError) as caught:
        load_file(tmp_path / "a.birc")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "U102"
    assert str(diagnostic.span) == f"{tmp_path / 'k.birc'}:3:{CHANNEL.splitlines()[2].index('77') + 1}"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.birc", "sub/../../x.birc", "..", "", "sub\\\\x.birc"])
def test_paths_that_lead_elsewhere(tmp_path: Path, path: str) -> None:
    write(tmp_path, below__a_birc=f'from "{path}" use K\nneuron A:\n    state v = 0\n', x_birc=CHANNEL)
    assert codes(tmp_path / "below" / "a.birc")[0][0] in "NS"


def test_a_link_that_leads_out_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path, below__a_birc='from "k.birc" use K\nneuron A:\n    state v = 0\n', k_birc=CHANNEL)
    (tmp_path / "below" / "k.birc").symlink_to(tmp_path / "k.birc")
    assert codes(tmp_path / "below" / "a.birc") == ["N111"]


def test_a_link_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path, a_birc='from "k.birc" use K\nneuron A:\n    state v = 0\n')
    (tmp_path / "k.birc").symlink_to(tmp_path / "k.birc")
    assert codes(tmp_path / "a.birc")[0] in ("N111", "N112")


def test_a_folder_and_a_binary_file(tmp_path: Path) -> None:
    write(tmp_path, a_birc='from "sub" use K\nfrom "b.birc" use L\nneuron A:\n    state v = 0\n', sub__x_birc=CHANNEL)
    (tmp_path / "b.birc").write_bytes(b"\0\1\2")
    assert codes(tmp_path / "a.birc") == ["N112", "N112"]


def test_imports_that_nest_too_deeply(tmp_path: Path) -> None:
    for i in range(200):
        write(tmp_path, **{f"m{i}_birc": f'from "m{i + 1}.birc" use A{i + 1}\nneuron A{i} extends A{i + 1}:\n    param p{i} = 1\n'})
    write(tmp_path, m200_birc="neuron A200:\n    state v = 0\n")
    assert "N113" in codes(tmp_path / "m0.birc")


def test_a_text_without_a_folder_imports_from_the_library_only() -> None:
    with pytest.raises(BircError) as caught:
        load(Source("<text>", f'from "k.birc" use K\n{NEURON}'))
    assert caught.value.code == "N111"
    assert load(Source("<text>", f"from birc use K\n{NEURON}")).items[0].name == "A"


def test_another_library() -> None:
    own = Source("own.birc", CHANNEL.replace("channel K", "channel Own"))
    text = f"from birc use Own\n{NEURON.replace('use K', 'use Own')}"
    (model,) = load(Source("<text>", text), library=lambda name: own if name == "Own" else None).items
    assert isinstance(model, Model)
    assert model.uses[0].channel.name == "Own"


def test_the_index_of_the_library() -> None:
    index = library_index()
    assert index["LIF"] == "lif.birc"
    assert index["Na"] == "hodgkin_huxley.birc"
    assert library_source("Nothing") is None
    for name in index:
        source = library_source(name)
        assert source is not None
        assert name in {i.name for i in load(source).items}


def test_in_order_puts_needs_first() -> None:
    assert in_order(["a", "b", "c"], {"a": ["b", "c"], "b": ["c"], "c": []}) == (["c", "b", "a"], [])
    assert in_order(["a", "b"], {"a": ["b"], "b": ["a", "x"]})[1] == [["a", "b"]]
    assert in_order(["a", "b"], {"a": ["a"], "b": ["a", "b"]})[1] == [["a"], ["b"]]
