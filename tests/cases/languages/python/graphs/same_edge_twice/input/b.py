import b
from a import f
import a
