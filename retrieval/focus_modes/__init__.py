"""Data files only, one a focus mode; ``retrieval/modes.py`` reads them."""
