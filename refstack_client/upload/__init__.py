"""The API of a collector: uploads, results, vendors, and logins."""
