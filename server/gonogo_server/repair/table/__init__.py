"""What is done about each rule that an upstream was seen to break: tables, a section of the rules each."""
