"""The rules between sections of a stack file, each a function from the sections that could be parsed to problems."""
