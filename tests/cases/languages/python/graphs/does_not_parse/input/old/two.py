import os, old.a
from old import (
    b,
    c,  # a comment
)

print "Python 2"

try:
    from old.d import e
except ImportError, error:
    pass
