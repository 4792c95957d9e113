import os as _os
import socket as _socket


def _found(*words):
    print("REACHED", *words, flush=True)
    _os.write(1, b"REACHED " + repr(words).encode() + b"\n")


import _pytest

try:
    with open(_pytest.__file__, "a") as _file:
        _file.write("\n# evil\n")
    _found("site-packages")
except OSError:
    pass
