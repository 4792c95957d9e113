from space.a import inner
from space import a

thing = 1
