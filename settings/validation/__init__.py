"""The rules between sections of a stack file, each a function from what could be read to the problems found."""
