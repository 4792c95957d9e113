from acme.core import util
