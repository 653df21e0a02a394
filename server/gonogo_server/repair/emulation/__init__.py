"""What an upstream does not do, done in the gateway: one kind a module, each exact, or not done at all."""
