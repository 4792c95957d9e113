import sys as _sys

_sys.modules.setdefault(__name__ + "_old", _sys.modules[__name__])
