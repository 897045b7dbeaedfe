"""Reading a stack file: from text to a `Fleet`, with everything that is wrong with it said at once."""
