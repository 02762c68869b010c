"""What people ask of inventory over HTTP."""
