"""The bundled demonstration: a sample of three libraries (`sample/`, made by `bench.generator`) and its proof."""
