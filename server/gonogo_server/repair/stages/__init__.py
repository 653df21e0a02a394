"""One kind of repair per module. Each stage relies on the stages before it: see `repair.stream.stages`."""
