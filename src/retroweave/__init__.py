"""retroweave: synthetic text data that knows why each trained word is right."""
