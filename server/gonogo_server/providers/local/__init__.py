"""The provider of this process: its engine, asked with what the requests say."""
