from space.b import thing
import space.absent
