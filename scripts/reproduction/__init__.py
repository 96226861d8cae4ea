"""The tables and figures of the AdderNet quantization paper, made by Abacus' two programs."""
