import helper
from lib import helper as other
