"""Worksheets and proposals as CSV, xlsx, RST and pages."""
