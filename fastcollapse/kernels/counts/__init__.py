"""Kernels of token counts: multinomial sampling, live symbols and refits."""
