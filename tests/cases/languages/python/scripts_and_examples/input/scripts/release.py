import notes
import lib
