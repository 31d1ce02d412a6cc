"""What a layer is told, put into the words and the units of its model; mistakes are said in the words of the layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from birc.backends.keras.tables import COUNTED, fixed
from birc.errors import BircError
from birc.ir.step import Step
from birc.nn.arguments import STEP, About
from birc.nn.mistakes import left_alone
from birc.suggest import closest

LEVELS = ("low", "medium", "high")


@dataclass(frozen=True)
class Told:
    """Parameters by their names in the model, options of the emitted layer, and of the layer's own arguments those that count."""

    parameters: Mapping[str, object]
    options: Mapping[str, object]
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Speaker:
    """A layer as its messages name it."""

    name: str

    def refuse(self, message: str, help: str | None = None, code: str = "I301") -> BircError:
        """The error, by the layer."""
        return left_alone(BircError(code, f"{self.name}: {message}", help=help))

    def one_of(self, what: str, name: object, known: Iterable[str]) -> str:
        """A name that must be one of those known."""
        names = tuple(known)
        if name in names:
            return str(name)
        near = closest(str(name), names)
        raise self.refuse(f"{what}: {name!r} is none of {', '.join(names)}", f"did you mean {near!r}?" if near else None)


@dataclass(frozen=True)
class Words:
    """The layer's arguments and the model's parameters, each of which may name a parameter."""

    speaker: Speaker
    about: About
    step: Step
    dt: float
    """A step, in ms."""

    @property
    def parameters(self) -> dict[str, str]:
        """The model's parameters by name, and by the name that an argument of Python can have."""
        names = [p.name for p in self.step.params]
        return {name.replace(".", "_"): name for name in names} | {name: name for name in names}

    @property
    def all(self) -> dict[str, str]:
        """Every word for a parameter."""
        return {a.name: a.parameter for a in self.about.arguments} | self.parameters

    def parameter(self, what: str, word: object) -> str:
        """The parameter that a word names."""
        return self.all[self.speaker.one_of(what, word, self.all)]

    def value(self, word: str, given: object) -> object:
        """What is given for a word, in the model's unit."""
        argument = self.about.argument(word)
        if argument is None:
            return given
        try:
            return argument.value(given, self.dt)
        except (TypeError, ValueError):
            raise self.speaker.refuse(f"{word} = {given!r} is no number of {argument.unit} and no text with a unit") from None

    def learned(self, learnable: object) -> tuple[str, ...]:
        """The parameters that are to be learned."""
        if learnable is True:
            unlearned = fixed(self.step)
            return self.about.learn or tuple(p.name for p in self.step.params if p.name not in unlearned)
        if learnable is False:
            return ()
        if not isinstance(learnable, (str, list, tuple)):
            raise self.speaker.refuse(f"learnable_parameters = {learnable!r}: True, False, or names of parameters")
        words = (learnable,) if isinstance(learnable, str) else tuple(learnable)
        return tuple(dict.fromkeys(self.parameter("learnable_parameters", word) for word in words))

    def ranges(self, constraints: object) -> dict[str, tuple[object, ...]]:
        """The ranges of parameters: those of the layer, and over them those that it is given."""
        if not isinstance(constraints, (Mapping, type(None))):
            raise self.speaker.refuse(f"parameter_constraints = {constraints!r}: a range (low, high) by the name of a parameter")
        found: dict[str, tuple[object, ...]] = dict(self.about.ranges)
        for word, ends in (constraints or {}).items():
            name = self.parameter("parameter_constraints", word)
            if not (isinstance(ends, (list, tuple)) and len(ends) == 2):
                raise self.speaker.refuse(f"parameter_constraints: {word} takes (low, high), not {ends!r}")
            own = self.about.ranges.get(name, (None, None))
            found[name] = tuple(o if end is None else self.value(word, end) for end, o in zip(ends, own, strict=True))
        return found


def tell(
    words: Words,
    arguments: Mapping[str, object],
    said: frozenset[str],
    parameters: Mapping[str, object],
    preset: str | None,
    level: str,
) -> Told:
    """The parameters of the model. arguments: those of the layer, of which `said` are given; parameters: given by the model's names.

    An argument that nobody gives leaves the value to its twin, to the preset, to the realism level and to the model.
    Raises I301 where an argument and its twin are both given.
    """
    step, speaker = words.step, words.speaker
    if preset is not None:
        speaker.one_of("neuron_type", preset, [p.name for p in step.presets])
    by_preset = next((dict(p.values) for p in step.presets if p.name == preset), {})
    found: dict[str, object] = {}
    for word, value in parameters.items():
        name = words.parameters[word]
        if name in found:
            raise speaker.refuse(f"{name} is given twice")
        found[name] = value
    counted = [name for name, reason in fixed(step).items() if reason == COUNTED] if level == "low" else []
    kept: dict[str, object] = {}
    for word, value in arguments.items():
        argument = words.about.argument(word)
        assert argument is not None
        name = argument.parameter
        if word in said and name in found and name != word:
            raise speaker.refuse(f"{word} and {name} are the same parameter, and both are given")
        if word not in said and (name in found or name in by_preset or name in counted or argument.unit != STEP):
            continue
        found[name], kept[word] = words.value(word, value), value
    for name in counted:
        found.setdefault(name, 0.0)
    return Told(found, {}, kept)
