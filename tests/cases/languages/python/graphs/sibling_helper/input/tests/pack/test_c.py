from pack.util import x
from . import util
from tests.pack import util as again
