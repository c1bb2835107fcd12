"""The panels beside and below the views, generated from what documents and systems declare."""
