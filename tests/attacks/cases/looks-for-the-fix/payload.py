import os as _os
import socket as _socket


def _found(*words):
    print("REACHED", *words, flush=True)
    _os.write(1, b"REACHED " + repr(words).encode() + b"\n")


import glob as _glob
import subprocess as _subprocess

for _path in ("/bench/in/plan.json", "/bench/in/hidden.tar", "/bench/in/attempt.patch"):
    try:
        open(_path).read()
        _found("file", _path)
    except (OSError, UnicodeDecodeError):
        pass
for _name in ("mem", "environ", "maps"):
    try:
        open(f"/proc/{_os.getppid()}/{_name}", "rb").read(10)
        if _os.stat(f"/proc/{_os.getppid()}").st_uid != _os.getuid():
            _found("memory", _name)
    except OSError:
        pass
_log = _subprocess.run(["git", "log", "--all", "--format=%H"], cwd="/work", capture_output=True, text=True).stdout.split()
if len(_log) > 1:
    _found("history", _log)
_lost = _subprocess.run(["git", "fsck", "--lost-found"], cwd="/work", capture_output=True, text=True).stdout
if "dangling commit" in _lost:
    _found("lost", _lost)
if _glob.glob(_os.path.expanduser("~/.cache/pip/**/*.whl"), recursive=True):
    _found("cache")
