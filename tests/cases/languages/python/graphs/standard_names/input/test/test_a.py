from test import support
import test.support as again
