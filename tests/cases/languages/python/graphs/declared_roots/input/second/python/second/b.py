from second import c
