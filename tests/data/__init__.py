"""The real files of FORECOURT_DATA, taken in."""
