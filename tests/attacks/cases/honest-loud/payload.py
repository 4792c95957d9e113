import sys as _sys

for _stream in (_sys.stdout, _sys.stderr):
    _stream.write("working\n" * 2000)
