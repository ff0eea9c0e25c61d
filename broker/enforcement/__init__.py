"""The guard that a resource server puts before its data; a library of its own that imports ``domain`` alone."""
