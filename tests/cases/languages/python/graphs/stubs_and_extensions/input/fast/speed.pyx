from . cimport table
from fast.shape import area
cimport numpy
import fast.core
