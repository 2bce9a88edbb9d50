"""Reading the words of a plate: perspective straightening, CRNN, greedy CTC."""
