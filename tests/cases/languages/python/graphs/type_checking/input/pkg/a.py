import typing as t
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import one
else:
    from . import two
if t.TYPE_CHECKING and True:
    import pkg.three
if not TYPE_CHECKING:
    from . import four
else:
    from . import five


def f():
    if t.TYPE_CHECKING:
        from . import six
    from . import one
