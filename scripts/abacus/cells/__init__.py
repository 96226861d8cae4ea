"""What a table is made of: networks, each quantized in one way and run on the hardware."""
