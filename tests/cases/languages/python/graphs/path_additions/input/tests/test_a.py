import sys

sys.path.insert(0, "tests/test_apps")
import shop
import twice
