from ._version import version
import pkg.absent
