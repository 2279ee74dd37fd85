"""Survey data: readers, packing, splits and transforms."""
