"""Where documents of strangers are read: in processes of their own, within limits."""
