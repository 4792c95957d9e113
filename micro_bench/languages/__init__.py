"""What the program knows of a programming language, one file each."""
