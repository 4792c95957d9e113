from .. import b
from ..a import one as two
from .. import one
