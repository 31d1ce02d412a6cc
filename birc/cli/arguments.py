"""The commands and their options. A wrong command line is a `BircError` with a suggestion, like any other mistake."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from birc import __version__
from birc.errors import BircError
from birc.ir.options import SPIKES
from birc.suggest import closest


class Parser(argparse.ArgumentParser):
    """A parser whose errors are `BircError`s."""

    def __init__(self, **settings: Any) -> None:
        self.options: list[str] = []
        super().__init__(allow_abbrev=False, **settings)

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """As usual; remembers the options' names for suggestions."""
        action = super().add_argument(*names, **settings)
        self.options.extend(action.option_strings)
        return action

    def one_of(self, **options: Mapping[str, Any]) -> None:
        """Options (`after_all` is `--after-all`) that exclude one another."""
        group = self.add_mutually_exclusive_group()
        for name, settings in options.items():
            self.options.extend(group.add_argument("--" + name.replace("_", "-"), **settings).option_strings)

    def error(self, message: str) -> NoReturn:
        """A wrong command line."""
        raise BircError("A002", message, help=f"`{self.prog} --help` lists the arguments")


def choice(*names: str) -> Callable[[str], str]:
    """An argument that is one of a few words."""

    def convert(text: str) -> str:
        if text in names:
            return text
        near = closest(text, names)
        meant = f"; did you mean `{near}`?" if near else ""
        raise argparse.ArgumentTypeError(f"`{text}` is none of {', '.join(names)}{meant}")

    return convert


def whole(least: int) -> Callable[[str], int]:
    """An argument that is a whole number; `1_000` and `1e6` are read too."""

    def convert(text: str) -> int:
        try:
            value = float(text) if any(c in text for c in ".eE") else int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"`{text}` is no whole number") from None
        if value != value or value in (float("inf"), float("-inf")) or value != int(value) or value < least:
            raise argparse.ArgumentTypeError(f"`{text}` is no whole number of at least {least}")
        return int(value)

    return convert


def assignments(pairs: Sequence[str], option: str) -> dict[str, str]:
    """`["a=1 ms", "b=2"]` as a table. Raises I118 for what is no `name=value`, A003 for a name given twice."""
    from birc.runtime.inputs import parse_assignment

    table: dict[str, str] = {}
    for pair in pairs:
        name, value = parse_assignment(pair, f"`{option}`")
        if name in table:
            raise BircError("A003", f"`{option}` names `{name}` twice", help=f"keep one of `{table[name]}` and `{value}`")
        table[name] = value
    return table


# --- options that several commands share


def _file(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .birc or .bir file, or the name of a library model (`lif`)")


def _model(parser: Parser) -> None:
    parser.add_argument("--model", metavar="NAME", help="which model of the file; `Model.PRESET` selects a preset")


def _compile_options(parser: Parser) -> None:
    _model(parser)
    parser.add_argument("--preset", metavar="NAME", help="a preset of the model")
    parser.add_argument("--dt", metavar="TIME", default="0.1 ms", help="length of a step (default: 0.1 ms)")
    parser.add_argument("--dtype", type=choice("f64", "f32"), default="f64", help="f64 (default) or f32")
    parser.add_argument("--solver", metavar="NAME", help="a method for all equations (`rk4`), or for some (`v=rk4,u=heun`)")
    parser.add_argument("--spikes", type=choice(*SPIKES), help="where spikes are: `grid` (ends of steps, the default) or `located`")
    parser.add_argument(
        "--tables",
        metavar="ERROR[, RANGES]",
        help='tables in place of costly functions of one state, within a relative error: `--tables "1e-6, v in [-120 mV, 80 mV]"`',
    )
    parser.add_argument(
        "--without", metavar="PASS", action="append", default=[], help="leave a pass out (`birc passes` lists them); may be repeated"
    )


def _set(parser: Parser) -> None:
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="set a parameter; may be repeated")


def _input(parser: Parser) -> None:
    parser.add_argument(
        "--input",
        metavar="PORT=VALUE",
        action="append",
        default=[],
        help='`I="250 pA"`, `I="step(250 pA, 100 ms, 400 ms)"`, `I="linspace(0 pA, 500 pA)"`, `exc="poisson(2 kHz, 40 pA)"`, `I=@a.npy` …',
    )


def _json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


# --- one function per command


def _check(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .birc file, or the name of a library model")
    parser.add_argument("--no-run", action="store_true", help="only read the files; do not run their `check` blocks")
    _json(parser)


def _fmt(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .birc file; `-` reads standard input and writes standard output")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file is not in form")


def _dump(parser: Parser) -> None:
    _file(parser)
    _compile_options(parser)
    stages = choice("ast", "model", "step", "adjoint")
    parser.add_argument("--stage", type=stages, default="step", help="ast, model, step (default) or adjoint, its derivative")
    parser.one_of(
        after={"metavar": "PASS", "help": "the program as it stands behind one pass"},
        after_all={"action": "store_true", "help": "the program behind each pass"},
    )
    parser.add_argument("--format", type=choice("text", "json", "dot"), default="text", help="text (default), json or dot")


def _compile(parser: Parser) -> None:
    _file(parser)
    parser.add_argument("--target", metavar="T", default="numpy", help="`birc targets` lists them (default: numpy)")
    parser.add_argument("-o", "--output", metavar="DIR", help="folder for the artifact's files (default: out/MODEL-TARGET)")
    parser.add_argument("--force", action="store_true", help="replace what lies in the folder")
    _set(parser)
    _compile_options(parser)


def _run(parser: Parser) -> None:
    _file(parser)
    parser.add_argument("--for", dest="duration", metavar="TIME", required=True, help='how long, as in `--for "1 s"`')
    parser.add_argument("--target", metavar="T", default="numpy", help="`birc targets` lists them (default: numpy)")
    parser.add_argument("-n", type=whole(1), default=1, metavar="N", help="how many neurons (default: 1)")
    _input(parser)
    _set(parser)
    parser.add_argument("--init", metavar="STATE=VALUE", action="append", default=[], help="initial value of a state; may be repeated")
    parser.add_argument("--record", metavar="NAMES", help="states, outputs and `spikes`, with commas (default: v if n <= 10)")
    parser.add_argument("--every", metavar="N|TIME", default="1", help='record each N-th step, or every `"1 ms"` (default: 1)')
    parser.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed of all random numbers (default: 0)")
    parser.add_argument("--threads", type=whole(1), metavar="N", help="threads of the native target (default: all cores)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the result: .npz (all), .nwb, or spikes: .csv, .h5 (SONATA)")
    parser.add_argument("--plot", metavar="FILE", help="draw spikes and membranes (.png, .pdf, .svg)")
    parser.add_argument("--checkpoint", metavar="TIME", help="of a network: keep the run so far at each multiple of TIME")
    parser.add_argument("--max-rate", metavar="RATE", default="500 Hz", help="of a network: stop where a population fires more (500 Hz)")
    parser.add_argument("--resume", action="store_true", help="of a network: go on from the last checkpoint")
    _compile_options(parser)
    _json(parser)


def _verify(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", help="a model file, or the name of a library model")
    parser.add_argument("--library", action="store_true", help="every neuron of the library, as one table")
    parser.one_of(
        target={"metavar": "T", "action": "append", "help": "a target; may be repeated (default: native)"},
        all={"action": "store_true", "help": "every target"},
    )
    parser.add_argument("--for", dest="duration", metavar="TIME", help="length of each run (default: 2000 steps)")
    parser.add_argument("--exact", action="store_true", help="one neuron against the exact solution of its equations (needs scipy)")
    _input(parser)
    parser.add_argument("-n", type=whole(1), metavar="N", help="how many neurons (default: 32)")
    parser.add_argument("--seed", type=whole(0), default=1, metavar="N", help="seed of the stimulus (default: 1)")
    parser.add_argument("--jobs", type=whole(1), metavar="N", help="processes for --library (default: one per core)")
    _set(parser)
    _compile_options(parser)
    _json(parser)


def _explain(parser: Parser) -> None:
    parser.add_argument("what", metavar="CODE|FILE", help="a code (`U102`), or a model: the solver of each variable, and why")
    _compile_options(parser)
    _json(parser)


def _models(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="show the card of one library model, or of a preset: `Izhikevich.FS`")
    parser.add_argument("--source", action="store_true", help="print the file of the model")
    parser.add_argument("--card", metavar="DIR", help="write the card, or those of the whole library, as Markdown and PNG")
    parser.add_argument("--patterns", action="store_true", help="run the firing patterns that its paper publishes (`izhikevich`)")
    parser.add_argument("--plot", metavar="FILE", help="draw the patterns (.png, .pdf, .svg)")
    _json(parser)


def _bench(parser: Parser) -> None:
    parts = ("start", "simulate", "onnx", "network", "train", "microcircuit")
    parser.add_argument("what", nargs="?", type=choice(*parts), help=f"{', '.join(parts)} (default: all but the last two, which take long)")
    parser.add_argument("--quick", action="store_true", help="measure each thing once")
    parser.add_argument("--case", metavar="NAME", action="append", default=[], help="run only this case; may be repeated")
    parser.add_argument("--peers", action="store_true", help="compare with the other simulators that are installed")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/bench.md")


SUBPARSERS: Mapping[str, tuple[str, Callable[[Parser], None]]] = {
    "check": ("read files, report all mistakes, run their `check` blocks", _check),
    "fmt": ("put files in form", _fmt),
    "dump": ("print a stage of the compilation", _dump),
    "compile": ("write an artifact for a target", _compile),
    "run": ("simulate", _run),
    "verify": ("compare targets with the reference", _verify),
    "explain": ("explain a code, or how a model is solved", _explain),
    "targets": ("list the targets, and what is missing here", _json),
    "passes": ("list the passes", _json),
    "models": ("list the model library, or show a model's card", _models),
    "bench": ("measure birc (in a checkout)", _bench),
}

EPILOG = "`birc COMMAND --help` lists its arguments, `birc explain CODE` explains a code. `FILE` may be a library model."


def parse(arguments: Sequence[str]) -> argparse.Namespace | None:
    """The parsed command line; None if it only asked for help or the version, which is printed.

    Raises A001 for an unknown command, A002 for wrong arguments.
    """
    if not arguments:
        _top().print_help(sys.stderr)
        raise BircError("A001", "no command was given", help="`birc check FILE` is a good start")
    command, rest = arguments[0], list(arguments[1:])
    if command.startswith("-"):
        _options_only(list(arguments))
        return None
    if command not in SUBPARSERS:
        near = closest(command, SUBPARSERS)
        help = f"did you mean `{near}`?" if near else f"commands: {', '.join(SUBPARSERS)}"
        raise BircError("A001", f"there is no command `{command}`", help=help)
    description, fill = SUBPARSERS[command]
    parser = Parser(prog=f"birc {command}", description=description[0].upper() + description[1:] + ".")
    fill(parser)
    if "-h" in rest or "--help" in rest:
        parser.print_help()
        return None
    for argument in itertools.takewhile(lambda a: a != "--", rest):
        if argument.startswith("--") and argument.partition("=")[0] not in parser.options:
            _refuse(parser, argument)
    parsed, unknown = parser.parse_known_args(rest)
    if unknown:
        _refuse(parser, unknown[0])
    parsed.command = command
    return parsed


def _top() -> Parser:
    commands = "\n".join(f"  {name:<9} {text}" for name, (text, _) in SUBPARSERS.items())
    parser = Parser(
        prog="birc",
        usage="birc COMMAND …",
        description=f"A compiler for neuron models.\n\ncommands:\n{commands}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    return parser


def _options_only(arguments: list[str]) -> None:
    parser = _top()
    if "-h" in arguments or "--help" in arguments:
        parser.print_help()
        return
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        _refuse(parser, unknown[0])
    if parsed.version:
        print(f"birc {__version__}")


def _refuse(parser: Parser, argument: str) -> NoReturn:
    name = argument.partition("=")[0]
    if not name.startswith("-"):
        raise BircError("A002", f"one argument too many: `{argument}`", help="a value with spaces needs quotes")
    near = closest(name, parser.options)
    help = f"did you mean `{near}`?" if near else f"`{parser.prog} --help` lists the options"
    raise BircError("A002", f"`{parser.prog}` has no option `{name}`", help=help)
