"""Room 1: a tracker's export or API becomes tickets linked to their fixes."""
