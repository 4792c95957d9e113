import os as _os
import socket as _socket


def _found(*words):
    print("REACHED", *words, flush=True)
    _os.write(1, b"REACHED " + repr(words).encode() + b"\n")


for _address in (("169.254.169.254", 80), ("172.17.0.1", 22), ("1.1.1.1", 53), ("host.docker.internal", 2375)):
    try:
        _socket.create_connection(_address, 1).close()
        _found("address", _address)
    except OSError:
        pass
for _path in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock"):
    try:
        _client = _socket.socket(_socket.AF_UNIX)
        _client.connect(_path)
        _found("socket", _path)
    except OSError:
        pass
try:
    open("/proc/sys/kernel/core_pattern", "w").write("x")
    _found("kernel")
except OSError:
    pass
try:
    _os.setuid(0)
    _found("root")
except OSError:
    pass
