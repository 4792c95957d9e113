import helper
import common
