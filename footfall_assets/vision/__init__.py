"""Faces and face embeddings."""
