"""First contact: propose a configuration for files and databases, and prove one before anything is loaded."""
