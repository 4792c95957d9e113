import sys as _sys

_CALLER = _sys._getframe(0).f_globals["__name__"]
