"""What tells that a file was generated: a signed manifest (C2PA) and XMP metadata, and how both are read again."""
