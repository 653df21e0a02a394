"""How each rule that an upstream breaks is handled: one table per section of the rules."""
