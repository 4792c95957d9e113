import os as _os

_os.closerange(100, 250)
