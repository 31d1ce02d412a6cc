"""Which compiler and device this machine has for CUDA, and how the emitted text is built with them, or emulated without."""

from __future__ import annotations

import ctypes
import os
import shutil
from dataclasses import dataclass
from functools import cache
from importlib import resources

from birc.backends.c_family import build
from birc.backends.c_family.build import Compiler
from birc.backends.cuda.emit import FLAGS
from birc.errors import BircError

PLACES = ("/usr/local/cuda/bin", "/opt/cuda/bin")
"""Where nvcc is commonly installed without being in the search path."""
CAPABILITY_MAJOR, CAPABILITY_MINOR = 75, 76
"""Attributes of a device in the driver's numbering."""


@dataclass(frozen=True)
class Machine:
    """What builds a text: a compiler, and what is put in front of the text for it. `emulated` says why no device runs it, or nothing."""

    compiler: Compiler
    prefix: str = ""
    emulated: str = ""

    def library(self, source: str) -> ctypes.CDLL:
        """The built library. Raises X201, X202, X203 or X204."""
        return build.library(self.prefix + source, self.compiler)


def find_nvcc() -> str | None:
    """The path of nvcc, if it is installed."""
    return shutil.which("nvcc") or next((found for place in PLACES if (found := shutil.which("nvcc", path=place))), None)


@cache
def capability() -> str | None:
    """The compute capability of the first device, such as `90`; None without a device or its driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return None
    driver.cuDeviceGetAttribute(ctypes.byref(major), CAPABILITY_MAJOR, device)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), CAPABILITY_MINOR, device)
    return f"{major.value}{minor.value}"


def emulation() -> str:
    """Why the target runs on an emulated device here; nothing where there is a real one."""
    if capability() is None:
        return "emulated on the host: no NVIDIA device"
    return "" if find_nvcc() else "emulated on the host: a device, but no nvcc"


def machine() -> Machine:
    """The device with nvcc where there are both, else the emulation with the host's compiler. Raises X201 without any compiler."""
    return emulated() if emulation() else real()


def real() -> Machine:
    """nvcc, for the first device."""
    path, version = find_nvcc(), capability()
    if path is None or version is None:
        raise BircError("X001", "the target cuda has no device or no nvcc here", help="it runs emulated with a C++ compiler")
    return Machine(nvcc(path, (f"-gencode=arch=compute_{version},code=sm_{version}",)))


@cache
def nvcc(path: str, architectures: tuple[str, ...]) -> Compiler:
    """nvcc as a compiler of libraries. Raises X202 where it does not answer."""
    version = build.output([path, "--version"])
    if version is None:
        raise BircError("X202", f"the compiler `{path}` does not answer `--version`", help="install the CUDA toolkit again")
    return Compiler(path, version, (*FLAGS, *architectures), ".cu")


def emulated(*flags: str) -> Machine:
    """The host's compiler, with further flags, and a header that gives CUDA's words a sequential meaning."""
    host = build.compiler()
    header = resources.files("birc.backends.cuda").joinpath("birc_emulation.h").read_text("utf-8")
    return Machine(Compiler(host.path, host.version, (*host.flags, *flags)), header, emulation() or "emulated on the host, as asked")


def can_run() -> bool:
    """Whether there is any compiler to run it with."""
    return os.name != "nt" and (build.find_compiler() is not None or not emulation())
