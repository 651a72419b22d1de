"""The library: folders of documents, indexed for full-text search."""
