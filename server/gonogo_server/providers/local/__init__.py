"""The provider of this process, which runs the engine."""
