"""What a good user writes with PyTorch and PyTorch Geometric: nothing here knows gnnmc."""
