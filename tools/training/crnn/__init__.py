"""Training of the CRNN that reads one straightened word (Shi, Bai and Yao, 2015, slimmed for CPUs)."""
