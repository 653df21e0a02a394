"""Who answers: the engine of this process, or other servers. The application knows them by their Protocol only."""
