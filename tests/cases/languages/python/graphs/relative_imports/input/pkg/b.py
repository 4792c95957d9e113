from pkg.sub import *

try:
    from . import c
except ImportError:
    c = None
