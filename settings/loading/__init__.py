"""Reading a stack file: from text to a `Fleet`, or to an error that names every problem."""
