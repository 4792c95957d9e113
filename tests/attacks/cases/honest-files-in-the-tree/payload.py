import os as _os
import pathlib as _pathlib

for _folder in (_pathlib.Path(__file__).parent, _pathlib.Path("@TESTS@")):
    try:
        (_folder / ".cache-of-it").write_text("1")
        (_folder / ".cache-of-it").unlink()
    except OSError:
        pass
_os.umask(_os.umask(0o022))
