"""An application of Django's, since it follows foreign keys backwards between those alone."""
