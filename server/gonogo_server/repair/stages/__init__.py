"""One kind of mistake a module. Each stage relies on what those before it have mended: see `repair.stream.stages`."""
